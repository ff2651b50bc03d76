"""Episodes for training: rows, labels and pictures at random access, from bags and datasets."""
