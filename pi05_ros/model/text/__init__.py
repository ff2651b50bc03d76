"""The text of the model: tokenizers, prompts, locations of boxes, FAST action tokens."""
