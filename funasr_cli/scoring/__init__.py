"""Quality of transcripts: error rates and time errors against references."""
