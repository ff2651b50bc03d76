"""Filters of the episodes and rows that train, the same for statistics, export and training."""
