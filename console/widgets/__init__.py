"""The parts of the screens, each drawn line by line where it can be long."""
