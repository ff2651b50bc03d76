"""The inspector's shapes, drawn without RViz: for docs, tests and the eye."""
