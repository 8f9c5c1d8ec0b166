"""The demo site: an outdoor-gear shop with its rules, templates, personas, and the seed of its embedded store."""
