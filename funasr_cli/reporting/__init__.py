"""What people see of a run: the display, the totals, the messages."""
