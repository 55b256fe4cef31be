"""An Ascend NPU for tests: the module `acl` of CANN and the compiler `atc`, both stricter than the real ones.

With the folder `python` on PYTHONPATH, `import acl` gives a runtime with devices, contexts, streams, memory and models
of its own. A model is what `bin/atc` writes: the ONNX graph in a container, run by ONNX Runtime in memory that the
program under test cannot touch except through copies. Every rule of the runtime that a program breaks is written down
as a violation; what it does not give back is a leak. What is simulated, devices and faults included, is a JSON file
named by ACL_SIMULATOR, so that child processes see the same machine (`python/acl/_machine.py`).
The calls, their results and their error codes are those of the AscendCL reference. No NPU was at hand to compare with.
"""
