"""How fast this machine is with a model, in which layout, and what limits it. Measures the CPU; changes nothing."""
