"""Acoustic features: samples in, the matrices that acoustic models were trained on out. Needs only NumPy."""
