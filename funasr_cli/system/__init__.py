"""The operating system: processes, signals, cores, memory, locks."""
