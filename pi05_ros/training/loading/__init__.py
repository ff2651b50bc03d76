"""Loading: the mixture's draws become batches, in worker processes."""
