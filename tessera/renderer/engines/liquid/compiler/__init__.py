"""Liquid compiled to Python: one function for each template, from python-liquid's tree."""
