"""The output folder: outputs, state, manifest, and the lock that admits one run at a time."""
