"""Many processes: workers that read and write recordings, device processes that run windows, and their coordinator."""
