"""Content-addressed fragment caches."""
