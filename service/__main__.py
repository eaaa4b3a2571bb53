"""The command line: ``python -m service serve | migrate | seed``."""

from colorless.patch import patch_everything

patch_everything()

# ruff: noqa: E402  (nothing may be imported before the patch)
import argparse
import os
import sys

import psycopg2

from service.db.migrate import migrate
from service.errors import ServiceError
from service.seed import PASSWORD, seed
from service.serve import StartError, serve
from service.settings import Settings, SettingsError

COMMANDS = {
    "serve": "migrate, then serve; with an embedded PostgreSQL where DATABASE_URL is not set",
    "migrate": "bring the database at DATABASE_URL up to date",
    "seed": "make a few users, rooms and messages to look at, in the database at DATABASE_URL",
}


def main() -> int:
    """Run one command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m service", description="The chat service.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, help_ in COMMANDS.items():
        commands.add_parser(name, help=help_)
    command = parser.parse_args().command
    try:
        settings = Settings.from_environment(os.environ)
        return serve(settings) if command == "serve" else _on_database(command, settings)
    except (SettingsError, ServiceError, StartError) as error:
        print(f"service: {error}", file=sys.stderr)
        return 2
    except psycopg2.Error as error:
        what = "the PostgreSQL at DATABASE_URL cannot be used"
        print(f"service: {what}: {str(error).strip()}", file=sys.stderr)
        return 2


def _on_database(command: str, settings: Settings) -> int:
    if settings.database_url is None:
        raise SettingsError(f"{command} needs DATABASE_URL")
    applied = migrate(settings.database_url)
    print(f"{len(applied)} migrations applied")
    if command == "seed":
        names = seed(settings.database_url)
        print(f"made the users {', '.join(names)}; their password is {PASSWORD!r}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
