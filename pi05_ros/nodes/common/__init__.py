"""What every node shares: lifecycle base, event loop, parameters, QoS, conversions."""
