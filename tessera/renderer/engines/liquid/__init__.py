"""Liquid: python-liquid with our environment, and what its templates demand."""
