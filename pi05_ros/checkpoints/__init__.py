"""Checkpoints on disk: layouts that are read and written, conversion, inspection."""
