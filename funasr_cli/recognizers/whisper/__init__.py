"""Whisper: generates text token by token."""
