"""Outputs written again from kept recognition results, without a model."""
