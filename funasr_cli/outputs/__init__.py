"""Output formats: one small writer for each, from a transcript to the text of the file."""
