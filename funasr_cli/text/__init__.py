"""Turn the tokens of windows into readable text: merging, times, hotwords, numbers, script, lines, paragraphs."""
