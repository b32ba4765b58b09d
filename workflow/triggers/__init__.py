"""What happens by itself: rules that a team writes, fired by events and by time."""
