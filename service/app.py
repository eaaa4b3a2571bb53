"""The composition root: makes the parts of the application and puts them together."""

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
    pages,
    presence,
    read_marks,
    rooms,
    streams,
    webhooks,
)
from service.api.dispatch import Dispatcher
from service.api.stream_drain import StreamDrain
from service.background import Background
from service.chat.context import ChatContext
from service.chat.fanout.backend import Fanout
from service.chat.fanout.nats import NatsFanout
from service.chat.fanout.postgres import PostgresFanout
from service.chat.live.manager import StreamManager
from service.chat.live.presence_lease import PresenceLeases
from service.chat.live.reconcile import Reconciler
from service.chat.passwords import Passwords
from service.chat.previews import PreviewJobs
from service.chat.webhook_deliveries import DeliveryJobs
from service.job_runner import JobRunner
from service.outside.client import OutsideClient
from service.outside.ssrf import AddressPolicy
from service.settings import Settings

API = (
    accounts.routes,
    rooms.routes,
    messages.routes,
    read_marks.routes,
    presence.routes,
    webhooks.routes,
)

# Guessed: one reads new events, the others replay what resuming clients missed.
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
    manager = create_manager(settings, settings.database_url)
    outside = OutsideClient(AddressPolicy(settings.outside_allow))
    chat = ChatContext(
        db, Passwords(), settings.session_days, manager.announce, manager.tell, outside
    )
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
    drain = StreamDrain(manager.registry)
    app.extensions["colorless.drain"] = drain
    app.register_blueprint(streams.blueprint(chat, manager, settings, drain))
    app.register_blueprint(health.blueprint(db))
    pages.register(app, API)
    return app


def create_manager(settings: Settings, database_url: str) -> StreamManager:
    """The manager of this process's streams. Its database pool is its own, so that streams need not
    wait for requests that hold every connection of the other; it opens none before a stream."""
    db = Pool(database_url, max_size=_CONNECTIONS_FOR_STREAMS, timeout=settings.request_timeout)
    manager = StreamManager(
        db, create_fanout(settings, database_url), resume_events=settings.resume_events
    )
    manager.tasks += [Reconciler(manager, settings.position_check).run, PresenceLeases(manager).run]
    return manager


def create_background(settings: Settings, chat: ChatContext) -> Background:
    """The jobs that a worker runs beside the requests: they call other sites."""
    if not settings.outside_tasks:
        return Background({})
    return Background(
        {
            "previews": JobRunner(PreviewJobs(chat).take, settings.outside_tasks),
            "deliveries": JobRunner(DeliveryJobs(chat).take, settings.outside_tasks),
        }
    )


def create_fanout(settings: Settings, database_url: str) -> Fanout:
    """The fan-out: NATS if it is configured, PostgreSQL's LISTEN/NOTIFY otherwise."""
    return NatsFanout(settings.nats_url) if settings.nats_url else PostgresFanout(database_url)
