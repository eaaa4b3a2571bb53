"""What gunicorn's settings say, in the engine's words."""

from __future__ import annotations

from typing import Any

from colorless.compat.gunicorn import MAX_FIELD_SIZE, MAX_FIELDS, MAX_LINE
from colorless.server.engine.limits import Limits
from colorless.server.engine.settings import HeadLimits, Settings

# What a request line may have where there is no limit; gunicorn's own parser in C has the same.
_UNLIMITED_LINE = 1024 * 1024
_PROXY_VERSIONS = {"off": (), "v1": ("v1",), "v2": ("v2",), "auto": ("v1", "v2")}


def settings_of(cfg: Any, limits: Limits) -> Settings:
    """The settings of a server under gunicorn's ``cfg``."""
    return Settings(
        limits=limits,
        head=_head_limits(cfg),
        concurrency=cfg.worker_connections,
        keepalive=cfg.keepalive,
        graceful_timeout=cfg.graceful_timeout,
        shares_sockets=cfg.workers > 1,
        suppress_ragged_eofs=cfg.suppress_ragged_eofs,
    )


def _head_limits(cfg: Any) -> HeadLimits:
    fields = cfg.limit_request_fields
    return HeadLimits(
        line=min(cfg.limit_request_line, MAX_LINE) or _UNLIMITED_LINE,
        fields=fields if 0 < fields <= MAX_FIELDS else MAX_FIELDS,
        field=cfg.limit_request_field_size or MAX_FIELD_SIZE,
        counts_underscores=cfg.header_map != "drop",
        proxy_protocol=frozenset(_PROXY_VERSIONS[cfg.proxy_protocol]),
    )
