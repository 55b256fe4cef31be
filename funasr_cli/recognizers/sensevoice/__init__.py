"""SenseVoice: one run of a CTC graph per window."""
