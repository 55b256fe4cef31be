"""The models this program can run, where they live on this machine, and whether they are what they should be."""
