"""What is sent to run a prepared statement: ``EXECUTE`` with its arguments as literals.

psycopg2 writes a literal through an adapter object, which takes it about a microsecond; a plain
integer has one spelling, and is written here. Whatever needs quoting is left to psycopg2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from colorless.postgres.placeholders import INT4, is_static


class Writer:
    """Writes the calls of one statement, for parameters of certain Python types."""

    __slots__ = ("_integers", "_others", "_template")

    def __init__(self, name: str, kinds: Sequence[type]) -> None:
        self._integers = [n for n, kind in enumerate(kinds) if kind is int]
        self._others = [n for n, kind in enumerate(kinds) if kind is not int]
        # Formatted here for integers, then by psycopg2 for all else.
        arguments = ["%d" if kind is int else "%%s" for kind in kinds]
        self._template = f"EXECUTE {name}({', '.join(arguments)})".encode()

    def call(self, params: tuple[Any, ...]) -> tuple[bytes, tuple[Any, ...] | None] | None:
        """The SQL, and the parameters that psycopg2 is to write into it. ``None`` if an integer is
        no int4, for which the statement was prepared."""
        for n in self._integers:
            if not -INT4 <= params[n] < INT4:
                return None
        if not self._others:
            return self._template % params, None
        integers = tuple([params[n] for n in self._integers])
        return self._template % integers, tuple([params[n] for n in self._others])


def writer(name: str, params: tuple[Any, ...]) -> Writer | None:
    """A writer for parameters of the same Python types as ``params``; ``None`` if the types do not
    determine the types in PostgreSQL."""
    if not params or not all(map(_is_plain, params)):
        return None
    return Writer(name, [type(value) for value in params])


def _is_plain(value: Any) -> bool:
    return -INT4 <= value < INT4 if type(value) is int else is_static(type(value))
