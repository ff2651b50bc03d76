"""Why a transform cannot be had."""


class TransformException(Exception):
    """Base of all."""


class LookupException(TransformException):
    """A frame is unknown."""


class ConnectivityException(TransformException):
    """Both frames are known, and no chain joins them."""


class ExtrapolationException(TransformException):
    """A chain joins them, but not at the time that was asked for."""


class InvalidArgumentException(TransformException):
    """A frame's name is empty or starts with a slash."""
