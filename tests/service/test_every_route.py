"""What holds for every route, read from the declarations: so a new one is held to it too."""

from typing import Any

import pytest

from service.api.routes import Route
from service.app import API
from tests.tools.chat import Caller, done, refused

ROUTES = [route for module in API for route in module.all]
OF_A_ROOM = [route for route in ROUTES if "{room_id}" in route.path]

# A body that each route would take, where it takes one that may not be empty.
BODIES: dict[str, Any] = {
    "change_room": {"name": "x"},
    "send_message": {"client_id": "1", "body": "x"},
    "edit_message": {"body": "x"},
    "mark_read": {"seq": 1},
    "create_webhook": {"url": "https://example.com/hook"},
}


def ask(caller: Caller, route: Route, room_id: int) -> Any:
    """Call the route with a good body, about what is there."""
    there = {"room_id": room_id, "seq": 1, "user_id": caller.id, "emoji": "+1", "webhook_id": 1}
    body = BODIES.get(route.name, {} if route.body is not None else None)
    return caller.call(route.method, route.path.format(**there), body)


def named(route: Route) -> str:
    return route.name


@pytest.mark.parametrize("route", OF_A_ROOM, ids=named)
def test_a_private_room_is_not_there_for_outsiders(
    ada: Caller, bob: Caller, eve: Caller, route: Route
) -> None:
    """Every route about a room answers outsiders as if there were no such room, and the room is
    as it was."""
    path = ada.makes_private_room(bob)
    ada.sends(path)
    before = done(ada.get(path), 200)
    words = refused(ask(eve, route, before["id"]), 404)
    nowhere = refused(ask(eve, route, 999_999_999), 404)
    assert words.replace(str(before["id"]), "N") == nowhere.replace("999999999", "N")
    assert done(ada.get(path), 200) == before


@pytest.mark.parametrize("route", [it for it in ROUTES if it.needs_token], ids=named)
def test_a_token_comes_first(nobody: Caller, route: Route) -> None:
    """A stranger gets 401 wherever a token is needed, before anything else is looked at."""
    answer = ask(nobody, route, 1)
    refused(answer, 401)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_two_routes_need_no_token() -> None:
    """Whoever has no token can get one, and nothing else."""
    assert {route.name for route in ROUTES if not route.needs_token} == {"sign_up", "log_in"}


@pytest.mark.parametrize("route", [it for it in ROUTES if it.method != "GET"], ids=named)
def test_everything_that_writes_is_limited(route: Route) -> None:
    """No route that changes something lacks a rate."""
    assert route.limit != "none"


@pytest.mark.parametrize("route", [it for it in ROUTES if it.body is not None], ids=named)
def test_unknown_fields_are_refused_everywhere(ada: Caller, route: Route) -> None:
    """A field that no route knows is named in the refusal."""
    room = int(ada.makes_room().split("/")[2])
    body = {**BODIES.get(route.name, {}), "no_such_field": 1}
    there = {"room_id": room, "seq": 1, "user_id": ada.id}
    answer = ada.call(route.method, route.path.format(**there), body)
    assert answer.status_code == 422
    # What is missing beside it may be named in its place.
    assert answer.get_json()["errors"][0]["field"] in {"no_such_field", *_fields(route)}


@pytest.mark.parametrize("route", [it for it in ROUTES if it.query is not None], ids=named)
def test_unknown_parameters_are_refused_everywhere(ada: Caller, route: Route) -> None:
    """A parameter that the route does not know is named in the refusal."""
    room = int(ada.makes_room().split("/")[2])
    path = route.path.format(room_id=room, webhook_id=1)
    answer = ada.call(route.method, f"{path}?no_such_parameter=1&q=x")
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["field"] in {"no_such_parameter", "q"}


def _fields(route: Route) -> tuple[str, ...]:
    return route.body.__struct_fields__ if route.body is not None else ()


TEXTS = ["\x00", "a\x00b", "https://example.com/\x00", "\udfff", "\u2028", "\U0010ffff", "a" * 9000]


@pytest.mark.parametrize("route", [it for it in ROUTES if it.name in BODIES], ids=named)
@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_no_text_breaks_a_route(ada: Caller, route: Route, text: str) -> None:
    """Whatever stands in a text of the body, the answer is one of the service's own choosing."""
    path = ada.makes_room()
    ada.sends(path)
    room = int(path.split("/")[2])
    for field, value in BODIES[route.name].items():
        if isinstance(value, str):
            body = {**BODIES[route.name], field: text}
            there = {"room_id": room, "seq": 1}
            assert ada.call(route.method, route.path.format(**there), body).status_code < 500
