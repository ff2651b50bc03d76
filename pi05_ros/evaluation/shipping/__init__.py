"""Shipped checkpoints: weights with a model card, and stored observations with their answers."""
