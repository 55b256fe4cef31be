"""From a checkpoint or a published graph to the static graph that an NPU compiler wants, and its twin for CPUs."""
