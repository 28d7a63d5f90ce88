"""Stands for a release that is too old, or just not."""

__version__ = "1.8.0"
