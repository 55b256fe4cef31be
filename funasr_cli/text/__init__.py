"""From the tokens of windows to a text a person reads: merging, times, hotwords, numbers, script, lines, paragraphs."""
