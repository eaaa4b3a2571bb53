"""Fixtures that every test may ask for: a PostgreSQL server, a fresh database, a leak check."""

import uuid
from collections.abc import Iterator

import psycopg2
import pytest

from service.db.embedded import DEFAULTS, EmbeddedPostgres
from tests.tools import leaks
from tests.tools.folders import folder_for_postgres


@pytest.fixture(scope="session")
def embedded_server() -> Iterator[EmbeddedPostgres]:
    """A server of this test process's own. What it writes need not survive a power cut."""
    settings = {**DEFAULTS, "fsync": "off", "synchronous_commit": "off"}
    with folder_for_postgres() as folder:
        server = EmbeddedPostgres(folder / "data", settings)
        server.start()
        yield server
        server.stop()


@pytest.fixture(scope="session")
def postgres_url(embedded_server: EmbeddedPostgres) -> str:
    """The URL of the server's own database, for tests that need no tables."""
    return embedded_server.url


@pytest.fixture(scope="module")
def database_url(embedded_server: EmbeddedPostgres) -> Iterator[str]:
    """The URL of an empty database of the test module's own."""
    name = f"test_{uuid.uuid4().hex}"
    _admin(embedded_server.url, f"CREATE DATABASE {name}")
    yield embedded_server.url.replace("/postgres?", f"/{name}?")
    _admin(embedded_server.url, f"DROP DATABASE {name} WITH (FORCE)")


def _admin(url: str, statement: str) -> None:
    connection = psycopg2.connect(url)
    try:
        connection.autocommit = True
        connection.cursor().execute(statement)
    finally:
        connection.close()


@pytest.fixture(autouse=True)
def no_leaks(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails a test that leaves a green thread behind, or a connection borrowed from a pool."""
    with leaks.watched() as found:
        yield
        if not request.node.get_closest_marker("leaves_greenlets"):
            assert not found(), f"what outlived its test: {found()}"
