"""Which prepared statements one connection has in the server, and when to make one.

A statement that a connection runs for the :data:`THRESHOLD`-th time with parameters of the same
types is prepared: the server parses and plans it once, and this process formats less.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from colorless.postgres.placeholders import signature, translate

THRESHOLD = 5  # psycopg 3's choice
CAPACITY = 200  # guessed: more than most services have, and little memory in the server
COUNTED = 1000  # guessed: SQL that is put together anew each time must not fill the memory

Key = tuple[str, tuple[str, ...] | None]


class Statement:
    """SQL with parameters of certain types."""

    __slots__ = ("execute", "prepare")

    def __init__(self, prepare: str | None, execute: str | None) -> None:
        self.prepare = prepare  # what has to be sent before ``execute`` may be; None once it was
        self.execute = execute  # what is sent in place of the SQL; None: send the SQL


class Statements:
    """What one connection has run, and what of it is prepared."""

    def __init__(self) -> None:
        self._uses: dict[Key, int] = {}
        self._prepared: dict[Key, Statement] = {}
        self._names = 0

    def find(self, sql: str, params: Sequence[Any] | Mapping[str, Any] | None) -> Statement | None:
        """The statement to run in place of ``sql``; ``None`` when that is to run as it is.

        Named parameters are not prepared.
        """
        if params is None:
            types = None
        elif isinstance(params, (tuple, list)):
            types = signature(params)
            if types is None:
                return None
        else:
            return None
        statement = self._prepared.get((sql, types))
        if statement is None:
            statement = self._count((sql, types))
        return statement if statement is not None and statement.execute is not None else None

    def is_full(self) -> bool:
        """Whether there are so many that it is better to start anew."""
        return len(self._prepared) > CAPACITY

    def clear(self) -> None:
        """Nothing is prepared any more."""
        self._prepared.clear()

    def _count(self, key: Key) -> Statement | None:
        uses = self._uses.pop(key, 0) + 1
        if uses >= THRESHOLD:
            self._prepared[key] = self._statement(*key)
            return self._prepared[key]
        if len(self._uses) >= COUNTED:
            self._uses.clear()
        self._uses[key] = uses
        return None

    def _statement(self, sql: str, types: tuple[str, ...] | None) -> Statement:
        body = translate(sql, None if types is None else len(types))
        if body is None:
            return Statement(None, None)
        self._names += 1
        name = f"colorless_{self._names}"
        declared = f"({', '.join(types)})" if types else ""
        arguments = f"({', '.join(['%s'] * len(types))})" if types else ""
        return Statement(f"PREPARE {name}{declared} AS {body}", f"EXECUTE {name}{arguments}")
