"""The shell that answers requests: pipeline, HTTP, settings."""
