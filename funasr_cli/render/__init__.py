"""Outputs made again from what is kept of a recording, without a model."""
