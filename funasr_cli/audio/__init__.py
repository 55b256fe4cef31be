"""Bytes → 16 kHz mono blocks → speech spans → windows. Knows no model but its own voice detector."""
