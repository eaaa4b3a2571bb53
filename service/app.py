"""The composition root: where the parts are made and put together, once, in plain sight."""

from __future__ import annotations

from flask import Flask

from colorless.patch import require_patched
from colorless.postgres import Pool
from service.api import accounts, errors, health, messages, pages, reading, rooms
from service.api.dispatch import Dispatcher
from service.chat.chat import Chat
from service.chat.passwords import Passwords
from service.settings import Settings

API = (accounts.routes, rooms.routes, messages.routes, reading.routes)


def create_app(settings: Settings) -> Flask:
    """The WSGI application. Opens no connection: a pool opens its first when it is asked for one,
    which under ``preload_app`` is after the fork."""
    require_patched("The chat service")
    if settings.database_url is None:
        raise ValueError("DATABASE_URL is not set; `python -m service serve` starts a server")
    db = Pool(
        settings.database_url,
        max_size=settings.pool_size,
        max_waiting=settings.pool_waiting,
        timeout=settings.request_timeout,
    )
    chat = Chat(db, Passwords(), settings.session_days)
    dispatcher = Dispatcher(chat, settings)

    app = Flask("service", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body
    app.extensions["colorless"] = chat
    errors.register(app)
    for module in API:
        for route in module.all:
            dispatcher.add(app, route)
    app.register_blueprint(health.blueprint(db))
    pages.register(app, API)
    return app
