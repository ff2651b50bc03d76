"""The console node: connects the operator's page with the graph."""
