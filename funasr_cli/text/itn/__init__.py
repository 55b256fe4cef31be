"""Write spoken numbers in figures (inverse text normalisation), for models that output words."""
