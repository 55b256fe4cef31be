"""Bytes → 16 kHz mono blocks → speech spans → windows. The only model used here is the voice detector."""
