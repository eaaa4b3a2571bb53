"""``python -m colorless`` is the ``colorless`` command."""

from colorless.cli.main import main

main()
