"""The inspector's shapes drawn without RViz, for docs and tests."""
