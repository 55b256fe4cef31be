"""What a run was asked for, as far as it makes a difference to what comes out."""
