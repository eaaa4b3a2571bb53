"""Decodes path, query and body into typed values; every error names the field that is wrong."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import UnsupportedMediaType

from service.errors import InvalidInput, NotFound

# msgspec ends its messages with the path of the field: "… - at `$.reply_to`".
_PLACE = re.compile(r"^(?P<what>.*?)(?: - at `\$\.?(?P<field>[^`]*)`)?$", re.DOTALL)
_NAMED = re.compile(r"field `(?P<field>[^`]+)`")


def decode_body(data: bytes, content_type: str, kind: Any) -> Any:
    """The JSON body as ``kind``; an empty body is an empty object."""
    if data and content_type not in ("", "application/json"):
        raise UnsupportedMediaType(f"send application/json, not {content_type}")
    try:
        return msgspec.json.decode(data or b"{}", type=kind)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput(f"the body is not JSON: {error}") from None


def decode_query(arguments: MultiDict[str, str], kind: Any) -> Any:
    """The query string as ``kind``. Raises :class:`InvalidInput`, also for a name given twice."""
    for name, values in arguments.lists():
        if len(values) > 1:
            raise InvalidInput(f"{name} is given {len(values)} times", field=name)
    try:
        decoded = msgspec.convert(arguments.to_dict(), kind, strict=False)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from None
    for name in arguments:
        if getattr(decoded, name) is None:  # msgspec takes the text "null" for it
            raise InvalidInput("a query string has no null: leave the name out", field=name)
    return decoded


def decode_path(name: str, text: str, kind: Any) -> Any:
    """One part of the path as ``kind``. Raises :class:`NotFound` if it cannot be one."""
    try:
        return msgspec.convert(text, kind, strict=False)
    except msgspec.ValidationError:
        raise NotFound(f"there is nothing here: {text!r} is no {name}") from None


def _invalid(message: str) -> InvalidInput:
    place = _PLACE.match(message)
    assert place is not None, "the pattern matches every text"
    field = place["field"]
    if not field and (named := _NAMED.search(message)):
        field = named["field"]
    return InvalidInput(message.replace("`$.", "`"), field=field or None)
