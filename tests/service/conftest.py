"""The chat service for tests: an application over a database of the test module's own."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from service.app import create_app
from service.db.migrate import migrate
from service.settings import Settings
from tests.tools.chat import Caller, chat_of, sign_in, stranger


@pytest.fixture(scope="module")
def migrated_url(database_url: str) -> str:
    """A database with the service's tables."""
    migrate(database_url)
    return database_url


@pytest.fixture(scope="module")
def app(migrated_url: str) -> Iterator[Flask]:
    """The service, without rate limits."""
    settings = Settings(database_url=migrated_url, writes_per_minute=0, logins_per_minute=0)
    app = create_app(settings)
    yield app
    chat_of(app).db.close()


@pytest.fixture
def make_app(migrated_url: str) -> Iterator[Callable[..., Flask]]:
    """The service with other settings: ``make_app(pool_size=1)``."""
    made = []

    def make(**settings: object) -> Flask:
        without_limits = {"writes_per_minute": 0, "logins_per_minute": 0}
        given = {"database_url": migrated_url, **without_limits, **settings}
        made.append(create_app(Settings(**given)))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for app in made:
        chat_of(app).db.close()


@pytest.fixture
def ada(app: Flask) -> Caller:
    """Somebody with an account."""
    return sign_in(app)


@pytest.fixture
def bob(app: Flask) -> Caller:
    """Somebody else."""
    return sign_in(app)


@pytest.fixture
def eve(app: Flask) -> Caller:
    """A third one, whom the others invite to nothing."""
    return sign_in(app)


@pytest.fixture
def nobody(app: Flask) -> Caller:
    """Somebody without an account."""
    return stranger(app)
