"""Which episodes and rows train, decided once for statistics, export and training."""
