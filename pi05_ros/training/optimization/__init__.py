"""The optimiser: parameter groups, learning rate over time, moving average of the weights."""
