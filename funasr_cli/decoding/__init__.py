"""Turn the scores of a CTC graph into tokens, without knowing vocabulary or device."""
