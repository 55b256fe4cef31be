"""From one recording to its transcript."""
