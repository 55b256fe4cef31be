"""The way of one recording to its transcript."""
