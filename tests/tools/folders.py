"""A place for a PostgreSQL server's files."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def folder_for_postgres() -> Iterator[Path]:
    """A temporary folder that another user can be let into.

    Not below pytest's own: under root the server is another user's process, and the next pytest
    to start closes that folder to other users.
    """
    with tempfile.TemporaryDirectory(prefix="colorless-") as folder:
        yield Path(folder)
