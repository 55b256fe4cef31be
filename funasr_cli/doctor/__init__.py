"""What there is on this machine, what a run lacks, and the command that brings it. Looks only; changes nothing."""
