"""`python -m tessera` is the command line."""

from tessera.cli.main import main

main()
