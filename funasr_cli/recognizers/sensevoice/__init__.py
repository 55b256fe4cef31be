"""SenseVoice: one run of a CTC graph a window."""
