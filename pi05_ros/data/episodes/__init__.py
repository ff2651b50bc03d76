"""Episodes to train on: rows, labels and pictures at random access, from bags and datasets."""
