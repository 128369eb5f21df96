"""The only custom exception: other errors are a ``ValueError``, ``TypeError`` or ``RuntimeError``."""


class DataFormatError(ValueError):
    """The content of a file does not match its format."""
