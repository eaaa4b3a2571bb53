"""Every setting of the service: its name, default and meaning. The only reader of the environment.

Each field is read from the environment variable of its name in capitals. The table in the README
is :func:`as_table`; a test holds the two together.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_origin, get_type_hints


class SettingsError(ValueError):
    """An environment variable has a value that cannot be used; the message says which and why."""


def _setting(
    default: Any, meaning: str, *, least: float | None = None, one_of: tuple[str, ...] = ()
) -> Any:
    metadata = {"meaning": meaning, "least": least, "one_of": one_of}
    return dataclasses.field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Settings:
    """The settings of the service, read once at start by :meth:`from_environment`."""

    host: str = _setting("127.0.0.1", "Address to listen on.")
    port: int = _setting(8000, "Port to listen on; 0 lets the system choose.", least=0)
    workers: int = _setting(
        0, "Worker processes; 0 makes one for each CPU that the container may use.", least=0
    )
    database_url: str | None = _setting(
        None,
        "PostgreSQL to use, as `postgresql://user:password@host/name`. "
        "Unset: an embedded server over `DATA_DIR`.",
    )
    data_dir: str = _setting(".data", "Where the embedded PostgreSQL keeps its files.")
    pool_size: int = _setting(20, "Database connections of one worker, at most.", least=1)
    pool_waiting: int = _setting(
        1000, "Requests of one worker that may wait for a connection; more get 503.", least=1
    )
    request_timeout: float = _setting(
        30.0, "Seconds that a request may take; then it gets 503 and its query ends.", least=0.001
    )
    graceful_timeout: int = _setting(
        30, "Seconds that running requests get to finish after SIGTERM.", least=1
    )
    # The longest message, each of its characters written as two escapes of six bytes, fits.
    max_body: int = _setting(131072, "Bytes that a request body may have.", least=1024)
    session_days: int = _setting(30, "Days until a bearer token expires.", least=1)
    writes_per_minute: int = _setting(
        600, "Writes that one user may make in a minute, per worker; 0 sets no limit.", least=0
    )
    logins_per_minute: int = _setting(
        30,
        "Sign-ups and logins that one address may try in a minute, per worker; 0 sets no limit.",
        least=0,
    )
    nats_url: str = _setting(
        "",
        "NATS servers that carry notices between processes, separated by commas. "
        "Unset: PostgreSQL's LISTEN/NOTIFY does.",
    )
    heartbeat: float = _setting(
        25.0,
        "Seconds between two pings on a stream; a client that answers none is gone.",
        least=0.1,
    )
    position_check: float = _setting(
        10.0, "Seconds between two looks for events that no notice told of.", least=0.1
    )
    stream_queue: int = _setting(
        262144, "Bytes that may wait for one slow reader of a stream; then it must resume.", least=1
    )
    resume_events: int = _setting(
        1000, "Events that a resuming stream gets; where it missed more it gets a gap.", least=0
    )
    streams_per_user: int = _setting(
        20, "Streams that one user may have open, per worker.", least=1
    )
    allowed_origins: tuple[str, ...] = _setting(
        (), "Other sites, separated by commas, whose pages may open streams: `https://a.example`."
    )
    trusted_proxies: int = _setting(
        0,
        "Reverse proxies in front, one behind the other: a caller's address is then so many "
        "places from the right in `X-Forwarded-For`, its scheme in `X-Forwarded-Proto`.",
        least=0,
    )
    outside_tasks: int = _setting(
        4,
        "Link previews, and as many webhook deliveries, that one worker makes at a time; "
        "0 makes it call no other site.",
        least=0,
    )
    outside_allow: str = _setting(
        "",
        "For intranets and tests: networks to call beside public addresses, as in "
        "`10.0.0.0/8, 127.0.0.1:8080`; ports 80 and 443 where none is given.",
    )
    worker_class: str = _setting(
        "colorless.worker.WSGIWorker",
        "gunicorn worker class; `gevent` is gunicorn's own.",
    )
    log_level: str = _setting(
        "info",
        "What to log: debug, info, warning or error.",
        one_of=("debug", "info", "warning", "error"),
    )
    log_format: str = _setting(
        "text", "`text` for a person, `json` for a collector.", one_of=("text", "json")
    )
    access_log: str | None = _setting(
        None, "File for a line about each request, `-` for standard output. Unset: none."
    )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """The settings as ``environment`` has them; an empty variable counts as unset.

        Raises :class:`SettingsError` for a value of the wrong kind or outside of what it can be.
        """
        kinds = get_type_hints(cls)
        given = {
            field.name: _parse(field, kinds[field.name], text)
            for field in dataclasses.fields(cls)
            if (text := environment.get(field.name.upper(), ""))
        }
        return cls(**given)


def as_table() -> str:
    """The settings as a Markdown table."""
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for field in dataclasses.fields(Settings):
        default = "" if field.default in (None, "", ()) else f"`{field.default}`"
        rows.append(f"| `{field.name.upper()}` | {default} | {field.metadata['meaning']} |")
    return "\n".join(rows)


def _parse(field: dataclasses.Field[Any], kind: Any, text: str) -> Any:
    if get_origin(kind) is tuple:
        return tuple(part.strip() for part in text.split(","))
    if isinstance(kind, types.UnionType):
        kind = next(part for part in get_args(kind) if part is not type(None))
    try:
        value = kind(text.lower() if field.metadata["one_of"] else text)
    except ValueError:
        raise SettingsError(
            f"{field.name.upper()}={text!r} is not {'a whole ' if kind is int else 'a '}number"
        ) from None
    least = field.metadata["least"]
    if least is not None and not value >= least:
        raise SettingsError(f"{field.name.upper()}={text!r} is below {least}, the least it can be")
    one_of = field.metadata["one_of"]
    if one_of and value not in one_of:
        raise SettingsError(f"{field.name.upper()}={text!r} is none of {', '.join(one_of)}")
    return value
