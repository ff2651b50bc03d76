"""What one sees of a run: a progress bar, TensorBoard, and a page."""
