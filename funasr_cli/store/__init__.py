"""The output folder: outputs, state, manifest, and the lock that makes it one run's at a time."""
