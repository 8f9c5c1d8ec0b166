"""What every adapter of a port promises, as tests to inherit: our own adapters pass them, and so do third parties'."""
