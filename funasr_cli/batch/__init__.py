"""The use case `transcribe`: from the options of a run to its exit code."""
