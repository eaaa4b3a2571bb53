"""``python -m colorless`` is the ``colorless`` command."""

from colorless.cli import main

main()
