"""Publishing: immutable releases of a site, which of them is live, what is switched off, and who did that."""
