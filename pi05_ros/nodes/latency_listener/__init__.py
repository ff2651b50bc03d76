"""Node that collects the latency of a running suite, for `pi05 latency live`."""
