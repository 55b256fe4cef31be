"""The models that this program can run: where they are stored on this machine, and their verification."""
