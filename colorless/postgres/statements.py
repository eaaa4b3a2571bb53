"""Which prepared statements one connection has in the server, and when to make one.

A statement that a connection runs for the :data:`THRESHOLD`-th time with parameters of the same
types is prepared: the server parses and plans it once, and this process formats less.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from colorless.postgres.calls import Writer, writer
from colorless.postgres.placeholders import signature, translate

THRESHOLD = 5  # psycopg 3's choice
CAPACITY = 200  # guessed: more than most services have, and little memory in the server
COUNTED = 1000  # guessed: SQL that differs each time must not fill the memory

Params = Sequence[Any] | Mapping[str, Any] | None
Call = tuple[str | bytes, Params]  # what is sent, and what psycopg2 is to write into it


class Key(NamedTuple):
    """SQL, with the types of its parameters and, if they have any, their names."""

    sql: str
    names: tuple[str, ...] | None
    types: tuple[str, ...] | None


class Statement:
    """SQL with parameters of certain types."""

    __slots__ = ("execute", "name", "prepare")

    def __init__(self, name: str, prepare: str | None, execute: str | None) -> None:
        self.name = name
        self.prepare = prepare  # to be sent before ``execute``; None once that is done
        self.execute = execute  # what is sent in place of the SQL; None: send the SQL


class Statements:
    """What one connection has run, and what of it is prepared."""

    def __init__(self) -> None:
        self._uses: dict[Key, int] = {}
        self._prepared: dict[tuple[Any, ...], Statement] = {}
        self._writers: dict[tuple[Any, ...], Writer] = {}  # by SQL and Python types
        self._names = 0

    def call(self, sql: str, params: Params) -> Call | None:
        """What to send in place of ``sql``, if :meth:`learn` was called for these parameter types.
        The fast path of :meth:`find`."""
        if type(params) is not tuple:
            return None
        known = self._writers.get((sql, *map(type, params)))
        return known.call(params) if known is not None else None

    def learn(self, statement: Statement, sql: str, params: Params) -> None:
        """Remember that ``statement``, now prepared, serves ``sql`` with parameters like these."""
        if type(params) is not tuple:
            return
        made = writer(statement.name, params)
        if made is not None:
            if len(self._writers) >= COUNTED:
                self._writers.clear()
            self._writers[(sql, *map(type, params))] = made

    def find(self, sql: str, params: Params) -> Statement | None:
        """The statement to run in place of ``sql``; ``None`` when that is to run as it is."""
        names = types = None
        if type(params) is dict:
            names, types = tuple(params), signature(params.values())
        elif params is not None:
            types = signature(params)
        if types is None and params is not None:
            return None
        key = (sql, names, types)
        statement = self._prepared.get(key)
        if statement is None:
            statement = self._count(Key(*key))
        return statement if statement is not None and statement.execute is not None else None

    def is_full(self) -> bool:
        """Whether there are too many, so that all should be dropped."""
        return len(self._prepared) > CAPACITY

    def clear(self) -> None:
        """Forget all prepared statements, which the server no longer has."""
        self._prepared.clear()
        self._writers.clear()

    def _count(self, key: Key) -> Statement | None:
        uses = self._uses.pop(key, 0) + 1
        if uses >= THRESHOLD:
            self._prepared[key] = self._statement(key)
            return self._prepared[key]
        if len(self._uses) >= COUNTED:
            self._uses.clear()
        self._uses[key] = uses
        return None

    def _statement(self, key: Key) -> Statement:
        translated = translate(key.sql, formatted=key.types is not None)
        types = _types_in_order(key, translated.placeholders) if translated else None
        if translated is None or types is None:
            return Statement("", None, None)
        self._names += 1
        name = f"colorless_{self._names}"
        declared = f"({', '.join(types)})" if types else ""
        arguments = f"({', '.join(translated.placeholders)})" if types else ""
        return Statement(
            name, f"PREPARE {name}{declared} AS {translated.body}", f"EXECUTE {name}{arguments}"
        )


def _types_in_order(key: Key, placeholders: list[str]) -> list[str] | None:
    """The types of $1, $2, ...; ``None`` when parameters and placeholders do not match, so that
    psycopg2 runs the statement and raises its error."""
    types = key.types or ()
    if key.names is None:
        matches = placeholders == ["%s"] * len(types)
        return list(types) if matches else None
    by_placeholder = {f"%({name})s": kind for name, kind in zip(key.names, types, strict=True)}
    if not by_placeholder.keys() >= set(placeholders):
        return None
    return [by_placeholder[placeholder] for placeholder in placeholders]
