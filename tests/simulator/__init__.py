"""An Ascend NPU for tests: the module `acl` of CANN and the compiler `atc`, both stricter than the real ones.

With the folder `python` on PYTHONPATH, `import acl` gives a runtime with its own devices, contexts, streams, memory and
models. A model is the output of `bin/atc`: the ONNX graph in a container, run by ONNX Runtime in memory that the
program under test can only reach through copies. Every rule of the runtime that a program breaks is recorded as a
violation; whatever it does not release is a leak. A JSON file, named by ACL_SIMULATOR, describes the simulated machine
with its devices and faults, so that child processes see the same machine (`python/acl/_machine.py`). The calls, their
results and their error codes are those of the AscendCL reference. No NPU was available for comparison.
"""
