"""The inspector node: markers and annotated pictures for RViz."""
