"""Convert a checkpoint or a published graph to the static graph that an NPU compiler needs, and a twin for CPUs."""
