"""How customers reach the desk: one folder or module a channel, the intake and the outbox they share."""
