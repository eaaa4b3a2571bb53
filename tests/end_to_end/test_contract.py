"""The OpenAPI document and the service hold each other: what one says, the other does.

Schemathesis makes requests from the document, good ones and bad ones, and compares each answer
with it. The good ones are pointed at a room, a message and a person that are there, since a
number from the air leads to a 404 and no further.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, settings
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.specs.openapi.checks import positive_data_acceptance

from service.api.openapi import document
from service.app import API, create_app
from service.db.migrate import migrate
from service.settings import Settings
from tests.tools.chat import Caller, chat_of, sign_in


@pytest.fixture(scope="module")
def app(database_url: str) -> Iterator[Flask]:
    """The service, without rate limits."""
    migrate(database_url)
    app = create_app(Settings(database_url=database_url, writes_per_minute=0, logins_per_minute=0))
    _apps.append(app)
    yield app
    _apps.pop()
    chat_of(app).db.close()


def latest_app(environ: dict[str, Any], start_response: Any) -> Any:
    """The application of the test that runs: the operations are known before there is one."""
    return _apps[-1](environ, start_response)


# Rules that no schema can say, in the words of the refusal.
UNSAID = (
    "give at least one of name, topic and visibility",
    "before, after and around exclude each other",
    "Expected `int`, got `float`",  # to JSON Schema 42.0 is an integer
    "this is no URL",
    "a URL starts with http",
)

# Their answers have no end, and so no schema.
STREAMS = {"/v1/events", "/v1/stream"}

_apps: list[Flask] = []

documented = schemathesis.openapi.from_dict(document(API))
documented.app = latest_app


@pytest.fixture(scope="module")
def people(app: Flask) -> tuple[Caller, Caller]:
    """An owner of rooms, and a member of them."""
    return sign_in(app), sign_in(app)


@documented.parametrize()
@settings(
    max_examples=10,
    derandomize=True,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
def test_the_service_does_what_it_says(
    case: schemathesis.Case[Any], people: tuple[Caller, Caller]
) -> None:
    """No 5xx; every answer has a status, a type and a body of the document; bad input is refused,
    good input accepted; nothing works without a token that should have one."""
    owner, member = people
    if case.operation.definition.raw["operationId"] == "log_out":
        owner = sign_in(owner.app)
    if case.meta is not None and case.meta.generation.mode.is_positive:
        point_at_what_is_there(case, owner, member)
    headers = {"Authorization": f"Bearer {owner.token}"}
    response = case.call(headers=headers)
    unsaid = response.status_code == 422 and any(rule in response.text for rule in UNSAID)
    left_out: list[Any] = [positive_data_acceptance] if unsaid else []
    case.validate_response(
        response,
        headers=headers,
        transport_kwargs={"headers": headers},
        excluded_checks=left_out,
    )


def point_at_what_is_there(case: Any, owner: Caller, member: Caller) -> None:
    """Replace made-up ids in the path by those of a new room, its message and its member."""
    if "room_id" not in case.path_parameters:
        return
    room = owner.makes_room(member)
    owner.sends(room)
    there = {"room_id": int(room.split("/")[2]), "seq": 1, "user_id": member.id}
    for name in case.path_parameters.keys() & there.keys():
        case.path_parameters[name] = there[name]
    if isinstance(case.body, dict) and "reply_to" in case.body:
        case.body["reply_to"] = 1


def test_the_document_is_openapi(app: Flask) -> None:
    """The document is valid OpenAPI 3.1, and every reference in it leads somewhere."""
    served = app.test_client().get("/openapi.json").get_json()
    assert served["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(served).validate()


def test_every_route_is_documented(app: Flask) -> None:
    """What is served under /v1 is in the document, and what is in the document is served."""
    served = app.test_client().get("/openapi.json").get_json()
    said = {
        (method.upper(), path)
        for path, operations in served["paths"].items()
        for method in operations
    }
    done = {
        (method, rule.rule.replace("<", "{").replace(">", "}"))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/v1/") and rule.rule not in STREAMS
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert said == done
