"""The probes: whether the process lives, and whether it can serve."""

from collections.abc import Callable

import pytest
from flask import Flask

from service.db.migrate import migrations
from tests.tools.chat import chat_of

MakeApp = Callable[..., Flask]


def test_livez_touches_nothing(make_app: MakeApp) -> None:
    """It answers where there is no database, and asks for no connection."""
    app = make_app(database_url="postgresql://nobody@127.0.0.1:1/nowhere")
    answer = app.test_client().get("/livez")
    assert (answer.status_code, answer.get_json()) == (200, {"status": "alive"})
    assert chat_of(app).db.stats()["connect_failed"] == 0


def test_readyz_shows_the_pool(app: Flask) -> None:
    """A service that can serve says so, and how its pool is."""
    answer = app.test_client().get("/readyz")
    assert answer.status_code == 200
    ready = answer.get_json()
    assert (ready["status"], ready["missing_migrations"]) == ("ready", [])
    assert ready["pool"]["max_size"] == 20


def test_readyz_misses_migrations(app: Flask) -> None:
    """A database that is behind is named as the reason, with what it lacks."""
    last = migrations()[-1]
    with chat_of(app).db.connection() as db:
        db.execute("DELETE FROM schema_migrations WHERE version = %s", [last.version])
        try:
            answer = app.test_client().get("/readyz")
        finally:
            db.execute("INSERT INTO schema_migrations (version, name) VALUES (%s, %s)", last[:2])
    assert answer.status_code == 503
    assert answer.get_json()["missing_migrations"] == [last.version]


def test_readyz_of_an_empty_database_is_not_ready(make_app: MakeApp, postgres_url: str) -> None:
    """A database that was never migrated lacks all of them; that is no error of the service."""
    answer = make_app(database_url=postgres_url).test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json()["missing_migrations"] == [each.version for each in migrations()]


@pytest.mark.parametrize("url", ["postgresql://nobody@127.0.0.1:1/nowhere"])
def test_readyz_without_a_database_is_not_ready(make_app: MakeApp, url: str) -> None:
    """PostgreSQL that cannot be reached is a 503 with Retry-After."""
    answer = make_app(database_url=url).test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]


def test_readyz_waits_no_longer_than_a_probe(make_app: MakeApp) -> None:
    """While all connections are busy it answers, and does not wait for one without end."""
    app = make_app(pool_size=1)
    with chat_of(app).db.connection():
        answer = app.test_client().get("/readyz")
    assert answer.status_code == 503


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_probes_are_only_asked(app: Flask, path: str) -> None:
    """HEAD is answered as GET is; nothing else is."""
    assert app.test_client().head(path).status_code == 200
    assert app.test_client().post(path).status_code == 405
