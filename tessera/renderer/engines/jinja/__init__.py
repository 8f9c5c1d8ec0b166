"""Jinja: jinja2 with our environment, and what its templates demand."""
