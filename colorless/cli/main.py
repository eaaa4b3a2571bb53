"""The command line: ``colorless run module:app`` serves a WSGI or an ASGI application.

It is gunicorn, patched before anything else is imported, with this package's workers. Every
option of gunicorn's works, and so does its configuration file.
"""

from __future__ import annotations

import argparse
import sys

from colorless import __version__  # upwards: its users see no more of the package

USAGE = "colorless run [--interface wsgi|asgi] [GUNICORN OPTIONS] module:app"


def main() -> None:
    """Run the command that ``sys.argv`` gives."""
    parser = argparse.ArgumentParser(
        prog="colorless",
        usage=USAGE,
        description="Serve a WSGI or ASGI application in which nothing blocks. "
        "`gunicorn --help` lists the other options: --workers, --bind, --reload, …",
        add_help=False,
    )
    parser.add_argument("command", nargs="?", choices=["run"])
    parser.add_argument("--interface", choices=["wsgi", "asgi"], help="do not guess what it is")
    parser.add_argument("--version", action="version", version=f"colorless {__version__}")
    parser.add_argument("-h", "--help", action="help")
    options, for_gunicorn = parser.parse_known_args()
    if options.command is None:
        parser.print_help()
        sys.exit(2)

    from colorless.patch import patch_everything

    patch_everything()
    # Not before the patch: gunicorn imports half of the standard library.
    from colorless.cli.run import run

    sys.argv[1:] = for_gunicorn
    run(options.interface)
