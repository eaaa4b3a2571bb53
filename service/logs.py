"""One format for every log line: gunicorn's, and the service's own through structlog.

``text``: time, level, process id, event, then ``key=value``. ``json``: one object a line with the
same keys. All lines go to standard error.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

import structlog
from gunicorn.glogging import Logger as GunicornLogger
from structlog.typing import EventDict, Processor, WrappedLogger


def configure(level: str, format_: str) -> None:
    """Set structlog up, for this process and those that are forked from it."""
    structlog.configure(
        processors=[*_DETAILS, *_renderer(format_)],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def gunicorn_logger(format_: str) -> type[GunicornLogger]:
    """gunicorn's logger class, with its error log in this format."""

    class Logger(GunicornLogger):
        def setup(self, cfg: Any) -> None:
            super().setup(cfg)
            for handler in self.error_log.handlers:
                handler.setFormatter(
                    structlog.stdlib.ProcessorFormatter(
                        processors=[
                            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                            *_renderer(format_),
                        ],
                        foreign_pre_chain=_DETAILS,
                    )
                )

    return Logger


def _add_process(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    event["pid"] = os.getpid()
    return event


_DETAILS: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    _add_process,
]


def _renderer(format_: str) -> list[Processor]:
    if format_ == "json":
        return [structlog.processors.dict_tracebacks, structlog.processors.JSONRenderer()]
    console = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(),
        pad_event_to=0,
        exception_formatter=structlog.dev.plain_traceback,
    )
    return [console]
