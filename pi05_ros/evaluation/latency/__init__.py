"""Latency of action chunks, by stage: from exposure of a picture to the first command."""
