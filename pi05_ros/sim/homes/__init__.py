"""Procedural homes as data: rooms, furniture, dishes and clutter, generated from a seed."""
