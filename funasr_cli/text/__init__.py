"""From the tokens of windows to lines a person reads: merging, times, subtitle segments, paragraphs."""
