"""Which recordings there are: files, folders, patterns and stdin."""
