"""Recordings of other stacks as episodes: a mapping YAML says which field is which entry."""
