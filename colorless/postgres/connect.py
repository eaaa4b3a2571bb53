"""Open a connection without ever blocking the hub, and within a time limit.

libpq resolves host names with a blocking call and ignores ``connect_timeout`` when a wait
callback is installed. So names are resolved here, by gevent's resolver, and each address gets a
time limit of its own, one after the other, as libpq and psycopg 3 try them.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import psycopg2
from psycopg2.extensions import make_dsn, parse_dsn

from colorless.lowlevel import limit
from colorless.postgres.connection import Connection
from colorless.postgres.cursor import Cursor
from colorless.postgres.errors import ConnectTimeout


def connect(dsn: str, timeout: float) -> Connection:
    """A new connection in autocommit mode; each address of each host has ``timeout`` seconds.

    Raises :class:`ConnectTimeout`, or what psycopg2 raised for the last address. Waiting ends
    earlier with ``DeadlineExceeded`` when the caller's deadline passes.
    """
    failure: psycopg2.OperationalError | None = None
    for address in _addresses(dsn, timeout):
        try:
            return _connect_one(dsn, address, timeout)
        except psycopg2.OperationalError as error:
            error.add_note(f"while connecting to {_where(address)}")
            failure = error
    assert failure is not None, "there is at least one address"
    raise failure


def _connect_one(dsn: str, address: dict[str, str], timeout: float) -> Connection:
    late = ConnectTimeout(f"no answer from the server at {_where(address)} in {timeout:g} s")
    with limit(timeout, late):
        connection = psycopg2.connect(make_dsn(dsn, **address), Connection, Cursor)
    connection.autocommit = True
    return connection


def _where(address: dict[str, str]) -> str:
    return " ".join(f"{key}={value}" for key, value in address.items()) or "the default address"


def _addresses(dsn: str, timeout: float) -> Iterator[dict[str, str]]:
    """What to add to ``dsn`` for each attempt: host, hostaddr and port of one address.

    A single Unix socket or numeric ``hostaddr`` needs nothing added.
    """
    try:
        parameters = parse_dsn(dsn)
    except psycopg2.ProgrammingError:
        # libpq's text repeats the DSN, password and all.
        raise psycopg2.ProgrammingError(
            "this is no DSN of PostgreSQL: write postgresql://user:password@host/name (without "
            "SQLAlchemy's +psycopg2), or 'host=… dbname=…'"
        ) from None
    hosts = _listed(parameters, "host", "PGHOST")
    hostaddrs = _listed(parameters, "hostaddr", "PGHOSTADDR")
    ports = _listed(parameters, "port", "PGPORT")
    count = max(len(hosts), len(hostaddrs))
    hosts, hostaddrs = _padded(hosts, count), _padded(hostaddrs, count)
    ports = _padded(ports, count) if len(ports) > 1 else ports * count
    for host, hostaddr, port in zip(hosts, hostaddrs, ports, strict=True):
        for numeric in [hostaddr] if hostaddr or _is_path(host) else _resolve(host, timeout):
            address = {"host": host, "hostaddr": numeric, "port": port}
            yield {key: value for key, value in address.items() if value}


def _listed(parameters: dict[str, str], key: str, variable: str) -> list[str]:
    return str(parameters.get(key) or os.environ.get(variable, "")).split(",")


def _padded(values: list[str], count: int) -> list[str]:
    return values + [""] * (count - len(values))


def _is_path(host: str) -> bool:
    """Whether libpq takes this as a Unix socket: nothing, a path, or an abstract name."""
    return not host or host[0] in "/@"


def _resolve(host: str, timeout: float) -> list[str]:
    """The numeric addresses of ``host``, looked up by gevent's resolver, off the hub."""
    late = ConnectTimeout(f"looking up the address of {host} took longer than {timeout:g} s")
    with limit(timeout, late):
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            raise psycopg2.OperationalError(f"cannot look up the host {host!r}: {error}") from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
