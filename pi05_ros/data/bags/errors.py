"""What is wrong with a bag, in one sentence."""

from __future__ import annotations

from pi05_ros.errors import Pi05Error


class BagError(Pi05Error):
    """A bag cannot be written, read or mended: which bag, what came, and what to do."""


class BrokenMetadataError(BagError):
    """A bag's metadata.yaml does not say what it must; its files may be whole."""
