"""Procedural homes as data: rooms, furniture, dishes and clutter of a seed."""
