"""The settings of a run that affect its results."""
