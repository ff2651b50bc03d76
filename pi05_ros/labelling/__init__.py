"""Labelling of recorded episodes: subtask spans, edited in the terminal or on a page."""
