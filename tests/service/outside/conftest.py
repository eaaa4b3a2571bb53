"""The service with a way to a site on loopback, and its workers as a test makes them work."""

from collections.abc import Iterator

import pytest
from flask import Flask

from service.app import create_app
from service.chat.previews import PreviewJobs
from service.chat.webhook_deliveries import DeliveryJobs
from service.settings import Settings
from tests.tools.chat import Caller, chat_of, sign_in
from tests.tools.sites import Site, site


@pytest.fixture(scope="module")
def the_site() -> Iterator[Site]:
    """One for all tests of a module; each sees it as ``there``, with nothing on it."""
    with site() as it:
        yield it


@pytest.fixture
def there(the_site: Site) -> Site:
    """A site that the service may call."""
    the_site.answers.clear()
    the_site.asked.clear()
    return the_site


def _process(url: str, there: Site) -> Iterator[Flask]:
    settings = Settings(
        database_url=url,
        writes_per_minute=0,
        logins_per_minute=0,
        outside_allow=there.allowed,
    )
    app = create_app(settings)
    yield app
    chat_of(app).db.close()


@pytest.fixture(scope="module")
def the_app(migrated_url: str, the_site: Site) -> Iterator[Flask]:
    """One for all tests of a module; each sees it as ``app``, with no work waiting."""
    yield from _process(migrated_url, the_site)


@pytest.fixture
def app(the_app: Flask) -> Flask:
    """The service; nothing runs in its background but what a test runs."""
    with chat_of(the_app).db.connection() as db:
        db.execute("DELETE FROM webhooks")
        db.execute("DELETE FROM previews")
    return the_app


@pytest.fixture(scope="module")
def other_app(migrated_url: str, the_site: Site) -> Iterator[Flask]:
    """Another process's, with a pool of its own."""
    yield from _process(migrated_url, the_site)


@pytest.fixture
def previews(app: Flask) -> PreviewJobs:
    return PreviewJobs(chat_of(app))


@pytest.fixture
def deliveries(app: Flask) -> DeliveryJobs:
    return DeliveryJobs(chat_of(app))


@pytest.fixture
def ada(app: Flask) -> Caller:
    """Somebody with an account."""
    return sign_in(app)


@pytest.fixture
def bob(app: Flask) -> Caller:
    """Somebody else."""
    return sign_in(app)
