"""Batch transcription of recordings with FunASR and Whisper models, on CPUs and Ascend NPUs."""

import os

__version__ = "0.2.0"

# Since 1.29, ONNX Runtime sends telemetry, and creates an identifier and a database in the home folder as soon as it is
# imported. Nothing leaves this machine, even if the user allows telemetry for other programs.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

# NumPy reads this when it is imported. Its threads would keep spinning after each of our small matrix products, on
# cores that the model's runtime needs, and cost a quarter of its speed.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
