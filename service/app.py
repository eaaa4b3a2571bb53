"""The composition root: where the parts are made and put together, once, in plain sight."""

from __future__ import annotations

from werkzeug.middleware.proxy_fix import ProxyFix

from colorless.flask import Flask
from colorless.patched import require_patched
from colorless.postgres import Pool
from service.api import (
    accounts,
    errors,
    health,
    messages,
    moments,
    pages,
    reading,
    rooms,
    streams,
    webhooks,
)
from service.api.dispatch import Dispatcher
from service.api.drain import Drain
from service.background import Background
from service.chat.chat import Chat
from service.chat.deliveries import Deliveries
from service.chat.fanout import Fanout
from service.chat.fanout.nats import NatsFanout
from service.chat.fanout.postgres import PostgresFanout
from service.chat.live.attendance import Attendance
from service.chat.live.care import Care
from service.chat.live.hub import Hub
from service.chat.passwords import Passwords
from service.chat.previews import Previews
from service.outside.addresses import Addresses
from service.outside.client import Client
from service.pump import Pump
from service.settings import Settings

API = (
    accounts.routes,
    rooms.routes,
    messages.routes,
    reading.routes,
    moments.routes,
    webhooks.routes,
)

# Guessed: one reads what happens, the others what resuming clients missed.
_CONNECTIONS_FOR_STREAMS = 4


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
    hub = create_hub(settings, settings.database_url)
    outside = Client(Addresses(settings.outside_allow))
    chat = Chat(db, Passwords(), settings.session_days, hub.announce, hub.tell, outside)
    dispatcher = Dispatcher(chat, settings)

    app = Flask("service", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body
    if settings.trusted_proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=settings.trusted_proxies, x_proto=settings.trusted_proxies
        )
    app.extensions["colorless"] = chat
    app.extensions["colorless.background"] = create_background(settings, chat)
    errors.register(app)
    for module in API:
        for route in module.all:
            dispatcher.add(app, route)
    drain = Drain(hub)
    app.extensions["colorless.drain"] = drain
    app.register_blueprint(streams.blueprint(chat, hub, settings, drain))
    app.register_blueprint(health.blueprint(db))
    pages.register(app, API)
    return app


def create_hub(settings: Settings, database_url: str) -> Hub:
    """What is live in this process. It has connections of its own, so that requests that hold all
    of the pool's do not keep the streams waiting; nor does it open one before a stream comes."""
    db = Pool(database_url, max_size=_CONNECTIONS_FOR_STREAMS, timeout=settings.request_timeout)
    hub = Hub(db, create_fanout(settings, database_url), resume_events=settings.resume_events)
    hub.tasks += [Care(hub, settings.position_check).run, Attendance(hub).run]
    return hub


def create_background(settings: Settings, chat: Chat) -> Background:
    """What a worker does beside answering requests: it calls other sites."""
    if not settings.outside_tasks:
        return Background({})
    return Background(
        {
            "previews": Pump(Previews(chat).take, settings.outside_tasks),
            "deliveries": Pump(Deliveries(chat).take, settings.outside_tasks),
        }
    )


def create_fanout(settings: Settings, database_url: str) -> Fanout:
    """What carries notices between the processes of the service."""
    return NatsFanout(settings.nats_url) if settings.nats_url else PostgresFanout(database_url)
