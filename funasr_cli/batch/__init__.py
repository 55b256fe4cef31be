"""A run over many recordings: what to do, under which names, with what engine, and how it went."""
