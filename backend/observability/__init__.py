"""What a process says of itself: counters, logs, request ids."""
