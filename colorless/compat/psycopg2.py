"""psycopg2's private and undocumented names. Tried with psycopg2 2.9.12."""

from __future__ import annotations

import psycopg2


def extension_file() -> str:
    """The file of psycopg2's C extension, through which the libpq that it uses is found.

    If it goes: ``psycopg2.extensions.connection`` has its module's name.
    """
    file: str = psycopg2._psycopg.__file__
    return file
