"""Pure core: no clock, no randomness, no I/O, no async."""
