"""Whisper: text generated token by token."""
