"""Spoken numbers in figures (inverse text normalisation), for models that write words."""
