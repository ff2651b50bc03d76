"""Parts of the benchmark of training: batches, the compared steps, and the loader."""
