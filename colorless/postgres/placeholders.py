"""From psycopg2's placeholders to PREPARE's: which statements can be prepared, and as what.

A prepared statement must mean exactly what psycopg2's own way of writing literals into the SQL
means, so each parameter is declared with the type that its literal has, and whatever could come
out differently is left unprepared.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from psycopg2.extras import Json

# What PREPARE accepts. WITH may lead to either of them.
_VERBS = frozenset({"select", "insert", "update", "delete", "merge", "values", "with"})

_TOKENS = re.compile(
    r"""
      (?P<placeholder> %s | %\( (?P<name> \w+ ) \)s )
    | (?P<percent> %% )
    | (?P<quoted>
          \b[eE]'(?: [^'\\] | \\. | '' )*'      # E'it\'s'
        | '(?: [^'] | '' )*'                    # 'it''s'
        | "(?: [^"] | "" )*"                    # "a name"
        | \$(?P<tag> \w* )\$ .*? \$(?P=tag)\$   # $tag$it's$tag$
        | --[^\n]*
        | /\* (?: (?! /\* ) . )*? \*/             # a nested one is left to PostgreSQL
      )
    | (?P<end> ; \s* \Z )
    | (?P<lone> % )
    | (?P<odd> [;'"] | \$\d | /\* )            # a second statement, or unknown syntax
    """,
    re.VERBOSE | re.DOTALL,
)


class Translated(NamedTuple):
    """SQL with $1, $2, ... and, for each of them, the placeholder that it stands for."""

    body: str
    placeholders: list[str]


@lru_cache(1000)  # guessed; every connection of a pool asks for the same ones
def translate(sql: str, formatted: bool) -> Translated | None:
    """``sql`` for PREPARE, or ``None`` when it cannot be prepared.

    ``formatted`` is whether there are parameters; without, psycopg2 looks for no placeholders.
    """
    verb = re.match(r"\s*(\w+)", sql)
    if verb is None or verb[1].lower() not in _VERBS:
        return None
    placeholders: list[str] = []
    parts: list[str] = []
    position = 0
    for token in _TOKENS.finditer(sql):
        if token["placeholder"]:
            # A name that comes twice is two parameters: each may be of another type.
            placeholders.append(token[0])
        translated = _translated(token, len(placeholders), formatted)
        if translated is None:
            return None
        parts += [sql[position : token.start()], translated]
        position = token.end()
    return Translated("".join([*parts, sql[position:]]), placeholders)


def _translated(token: re.Match[str], number: int, formatted: bool) -> str | None:
    if token["end"]:
        return ""
    if token["quoted"]:
        if token[0][0] == "'" and "\\" in token[0]:
            return None  # where it ends depends on a setting, standard_conforming_strings
        return _unescaped(token[0]) if formatted else token[0]
    if token["odd"]:
        return None
    if not formatted:
        return None if token["placeholder"] else token[0]
    if token["placeholder"]:
        return f"${number}"
    return "%" if token["percent"] else None


def _unescaped(quoted: str) -> str | None:
    """Quoted text as psycopg2 would send it, or ``None`` if there is a placeholder in it: psycopg2
    writes a literal there (interval '%s days'), where PREPARE sees no parameter."""
    if "%" in quoted.replace("%%", ""):
        return None
    return quoted.replace("%%", "%")


def signature(values: Iterable[Any]) -> tuple[str, ...] | None:
    """The types that psycopg2's literals for ``values`` have in PostgreSQL.

    ``None`` when one of them is of a Python type that is not known here.
    """
    types = []
    for value in values:
        kind = _TYPES.get(type(value))
        if kind is None:
            return None
        name = kind if isinstance(kind, str) else kind(value)
        if name is None:
            return None
        types.append(name)
    return tuple(types)


def is_static(kind: type) -> bool:
    """Whether all values of the Python type have the same type in PostgreSQL."""
    return isinstance(_TYPES.get(kind), str)


INT4, INT8 = 2**31, 2**63


def _integer(value: int) -> str | None:
    if -INT4 <= value < INT4:
        return "int4"
    return "int8" if -INT8 <= value < INT8 else None


def _float(value: float) -> str:
    return "numeric" if math.isfinite(value) else "float8"  # 1.5, but 'NaN'::float


def _timestamp(value: datetime) -> str:
    return "timestamp" if value.tzinfo is None else "timestamptz"


def _array(value: list[Any]) -> str | None:
    if not value:
        return "unknown"  # '{}'
    kinds = set(map(type, value))
    if kinds == {str}:
        return "text[]"
    if kinds != {int}:
        return None
    names = set(map(_integer, value))
    return None if None in names else f"{max(names, key=str)}[]"


# ``unknown``: a quoted literal without a type, which PostgreSQL infers as it does for PREPARE.
_TYPES: dict[type, str | Callable[[Any], str | None]] = {
    int: _integer,
    str: "unknown",
    type(None): "unknown",
    bool: "boolean",
    float: _float,
    Decimal: "numeric",
    datetime: _timestamp,
    date: "date",
    timedelta: "interval",
    bytes: "bytea",
    list: _array,
    Json: "unknown",
}
