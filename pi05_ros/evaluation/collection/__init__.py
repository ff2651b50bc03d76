"""Collection of training data in mock homes: episodes of the expert, and static scenes."""
