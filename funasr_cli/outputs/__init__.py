"""One small writer for each output format: a transcript in, the text of the file out."""
