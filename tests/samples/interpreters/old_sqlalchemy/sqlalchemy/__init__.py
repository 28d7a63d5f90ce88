"""Stands for a release that is too old, or just not."""

__version__ = "1.4.26"
