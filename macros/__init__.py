"""Standard resolution paths: read, check, preview, run."""
