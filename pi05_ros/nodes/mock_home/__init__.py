"""The mock home node: drivers and controllers of a robot in a simulated home."""
