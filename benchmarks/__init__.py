"""What deskhand is measured by, and against whom: ``python -m benchmarks``."""
