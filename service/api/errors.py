"""Error responses: the table from exception to HTTP status, and RFC 9457 problem documents."""

from __future__ import annotations

import math
from http import HTTPStatus

import msgspec
import psycopg2
import structlog
from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from colorless.deadlines import DeadlineExceeded
from colorless.worker import ClientDisconnected
from service import errors

log = structlog.get_logger("service")

# The first class that matches decides, so a class is listed before its base classes.
STATUS: tuple[tuple[type[Exception], HTTPStatus], ...] = (
    (errors.InvalidInput, HTTPStatus.UNPROCESSABLE_ENTITY),
    (errors.Unauthenticated, HTTPStatus.UNAUTHORIZED),
    (errors.Forbidden, HTTPStatus.FORBIDDEN),
    (errors.NotFound, HTTPStatus.NOT_FOUND),
    (errors.Conflict, HTTPStatus.CONFLICT),
    (errors.TooManyRequests, HTTPStatus.TOO_MANY_REQUESTS),
    (DeadlineExceeded, HTTPStatus.SERVICE_UNAVAILABLE),
    # No connection was available or it broke: PostgreSQL cannot be reached or is overloaded.
    (psycopg2.OperationalError, HTTPStatus.SERVICE_UNAVAILABLE),
    (psycopg2.InterfaceError, HTTPStatus.SERVICE_UNAVAILABLE),
)

# nginx's status for it. No client receives the response; it is for the access log.
CLIENT_CLOSED_REQUEST = 499

# Seconds; guessed: long enough not to add to the overload, short enough not to be noticed.
_RETRY_AFTER = 1.0

_PUBLIC_WORDS = {
    DeadlineExceeded: "the request took too long and was given up; try again",
    psycopg2.Error: "the database cannot be reached or has no connection free; try again",
}


class FieldError(msgspec.Struct, frozen=True):
    """What is wrong with one field of the request."""

    field: str
    detail: str


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a request was refused, after RFC 9457."""

    title: str
    status: int
    detail: str
    type: str = "about:blank"
    errors: list[FieldError] = []


def register(app: Flask) -> None:
    """Make the application answer every error with a problem document."""
    app.register_error_handler(Exception, answer)


def answer(error: Exception) -> Response:
    """The response to an error; one that is not in the table is logged, and is a 500."""
    error = _unwrap_group(error)
    if isinstance(error, ClientDisconnected):
        return Response(status=CLIENT_CLOSED_REQUEST)
    if isinstance(error, HTTPException):
        return _from_werkzeug(error)
    status = _status(error)
    if status is None:
        log.error("unexpected error", exc_info=error)
        words = "an error that nobody foresaw; it has been logged"
        return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, words, error)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("unavailable", error=repr(error))
    return _problem(status, _detail(error), error)


def _unwrap_group(error: Exception) -> Exception:
    """The first error of a group whose errors all have the same status, as in an outage."""
    if isinstance(error, ExceptionGroup) and len(set(map(_status, error.exceptions))) == 1:
        return error.exceptions[0]
    return error


def _status(error: Exception) -> HTTPStatus | None:
    return next((status for kind, status in STATUS if isinstance(error, kind)), None)


def _detail(error: Exception) -> str:
    """The text that the client gets: an error's own, unless it could say something internal."""
    for kind, words in _PUBLIC_WORDS.items():
        if isinstance(error, kind):
            return words
    return str(error)


def _problem(status: HTTPStatus, detail: str, error: Exception) -> Response:
    field = getattr(error, "field", None)
    problem = Problem(
        title=status.phrase,
        status=status,
        detail=detail,
        errors=[FieldError(field, detail)] if field else [],
    )
    response = Response(
        msgspec.json.encode(problem), status=status, content_type="application/problem+json"
    )
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        seconds = getattr(error, "retry_after", _RETRY_AFTER)
        response.headers["Retry-After"] = str(max(1, math.ceil(seconds)))
    if status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _from_werkzeug(error: HTTPException) -> Response:
    response = error.get_response()
    if response.status_code < HTTPStatus.BAD_REQUEST:
        return response  # type: ignore[return-value]  # a redirect is not an error
    status = HTTPStatus(response.status_code)
    problem = _problem(status, error.description or status.description, error)
    for name in ("Allow", "Retry-After"):
        if name in response.headers:
            problem.headers[name] = response.headers[name]
    return problem
