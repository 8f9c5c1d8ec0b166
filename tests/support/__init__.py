"""What tests share: small sites, fake ports, and a client of the real application."""
