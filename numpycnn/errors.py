"""The one exception of our own: everything else is a ``ValueError``, ``TypeError`` or ``RuntimeError``."""


class DataFormatError(ValueError):
    """A file does not hold what its format promises."""
