"""Executors run a graph: named arrays in, named arrays out. They know devices and runtimes, but not speech."""
