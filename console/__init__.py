"""What people see and type: the Textual console and the command line."""
