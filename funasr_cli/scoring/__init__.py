"""How good transcripts are: error rates and time errors against references."""
