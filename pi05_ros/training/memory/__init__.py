"""Memory of a run, computed before it begins."""
