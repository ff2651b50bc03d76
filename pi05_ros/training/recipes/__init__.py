"""Recipes: what a training run does, as YAML over frozen dataclasses."""
