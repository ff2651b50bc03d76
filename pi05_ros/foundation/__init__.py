"""Utilities that every folder may use: YAML, resource paths, lines of text, Fast DDS profiles."""
