"""Batch transcription of recordings with FunASR and Whisper models, on CPUs and Ascend NPUs."""

import os

__version__ = "0.2.0"

# From 1.29 on ONNX Runtime reports to its maker, and as soon as it is imported leaves an identifier and a database in
# the home folder. Nothing leaves this machine: not even where somebody allows it for other programs.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

# Read by NumPy when it is imported. Its threads would go on spinning after each of the small products that there are
# here, on the cores that the model's runtime needs: a quarter of its speed.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
