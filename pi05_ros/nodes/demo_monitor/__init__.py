"""The monitor node of the demo: collects what the graph publishes during a run."""
