"""Batch transcription of recordings with Fun-ASR and Whisper models, on CPUs and Ascend NPUs."""

__version__ = "0.1.0"
