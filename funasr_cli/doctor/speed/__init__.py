"""Measures how fast this machine's CPU runs a model, in which layout, and what limits it. Changes nothing."""
