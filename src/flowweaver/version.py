"""The version of this package, for whoever would otherwise import all of its public face."""

__version__ = "1.0.0"
