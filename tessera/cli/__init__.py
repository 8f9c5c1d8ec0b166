"""The command line. Each verb calls one function of the room that does the work."""
