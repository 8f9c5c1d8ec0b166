"""Paths: how inputs are named, part by part. What they mean as demands is said in `engines.demands`."""

Path = tuple[str, ...]

EACH = "[]"
"""Stands for every element of a list."""

SIZE = "#"
"""Stands for the length of a list, and for whether an object is there."""
