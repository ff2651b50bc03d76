"""Statistics of a robot's vectors: streaming, mergeable, checked before training."""
