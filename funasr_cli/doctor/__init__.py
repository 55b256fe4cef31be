"""Checks of this machine: what is missing for a run, and the command that fixes it. Changes nothing."""
