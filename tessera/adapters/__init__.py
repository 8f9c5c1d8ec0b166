"""One implementation of a port a file."""
