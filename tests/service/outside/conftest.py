"""The service with a way to a site on loopback, and its workers as a test makes them work."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from service.chat.deliveries import Deliveries
from service.chat.previews import Previews
from tests.tools.chat import Caller, chat_of, sign_in
from tests.tools.sites import Site, site


@pytest.fixture
def there() -> Iterator[Site]:
    """A site that the service may call."""
    with site() as it:
        yield it


@pytest.fixture
def app(make_app: Callable[..., Flask], there: Site) -> Flask:
    """The service; nothing runs in its background but what a test runs."""
    return make_app(outside_allow=there.allowed)


@pytest.fixture
def other_app(make_app: Callable[..., Flask], there: Site) -> Flask:
    """Another process's, with a pool of its own."""
    return make_app(outside_allow=there.allowed)


@pytest.fixture(autouse=True)
def nothing_waits(app: Flask) -> None:
    """Work that another test of the module left is not this one's."""
    with chat_of(app).db.connection() as db:
        db.execute("DELETE FROM webhooks")
        db.execute("DELETE FROM previews")


@pytest.fixture
def previews(app: Flask) -> Previews:
    return Previews(chat_of(app))


@pytest.fixture
def deliveries(app: Flask) -> Deliveries:
    return Deliveries(chat_of(app))


@pytest.fixture
def ada(app: Flask) -> Caller:
    """Somebody with an account."""
    return sign_in(app)


@pytest.fixture
def bob(app: Flask) -> Caller:
    """Somebody else."""
    return sign_in(app)
