"""Tessera: personalized page fragments, decided, rendered and cached on the server."""
