"""Errors as RFC 9457 problem documents, and what HTTP says beside them."""

import inspect
from typing import Any

import pytest

from service import errors
from service.api.errors import STATUS, answer
from tests.tools.chat import Caller, refused


def all_errors() -> list[type[errors.ServiceError]]:
    """The classes of the tree, root and all."""
    found = [errors.ServiceError]
    for kind in found:
        found += kind.__subclasses__()
    return found


def test_every_error_of_the_service_has_a_status() -> None:
    """The table from error to status knows the whole tree but its root."""
    known = [kind for kind, _ in STATUS]
    assert set(all_errors()) - {errors.ServiceError} <= set(known)


def test_the_table_reaches_each_of_its_lines() -> None:
    """No line stands behind one for a class that it is derived from."""
    kinds = [kind for kind, _ in STATUS]
    for number, kind in enumerate(kinds):
        assert not any(issubclass(kind, earlier) for earlier in kinds[:number]), kind


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    """The drawing at the head of the file names every class."""
    drawn = inspect.getdoc(errors) or ""
    assert all(kind.__name__ in drawn for kind in all_errors())


def test_a_problem_has_what_the_rfc_names(ada: Caller) -> None:
    """title, status and detail are there (no type is ``about:blank``), and ``errors`` where a field
    is to blame."""
    plain = ada.get("/rooms/999999999")
    assert plain.get_json() == {
        "title": "Not Found",
        "status": 404,
        "detail": "there is no room 999999999",
    }
    problem = ada.post("/rooms", {"name": ""}).get_json()
    assert problem["errors"] == [{"field": "name", "detail": problem["detail"]}]
    assert problem["detail"] == "Expected `str` of length >= 1 - at `name`"


@pytest.mark.parametrize(
    "method, path, allowed",
    [
        ("PUT", "/rooms", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("POST", "/search", {"GET", "HEAD", "OPTIONS"}),
        ("GET", "/sessions", {"OPTIONS", "POST"}),
        ("GET", "/sessions/current", {"DELETE", "OPTIONS"}),
        ("TRACE", "/rooms/1", {"GET", "HEAD", "OPTIONS", "PATCH", "DELETE"}),
        ("BREW", "/rooms", {"GET", "HEAD", "OPTIONS", "POST"}),
    ],
)
def test_a_method_that_is_not_there(ada: Caller, method: str, path: str, allowed: set[str]) -> None:
    """405 names the methods that are there."""
    response = ada.call(method, path)
    refused(response, 405)
    assert set(response.headers["Allow"].split(", ")) == allowed


def test_head_is_get_without_the_body(ada: Caller) -> None:
    """HEAD answers with GET's headers, and refuses as GET does."""
    room = ada.makes_room()
    head, get = ada.call("HEAD", room), ada.get(room)
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Length"] == get.headers["Content-Length"]
    assert ada.call("HEAD", "/rooms/999999999").status_code == 404


def test_options_tells_the_methods_to_anybody(nobody: Caller) -> None:
    """OPTIONS needs no token and does nothing."""
    response = nobody.call("OPTIONS", "/rooms")
    assert response.status_code == 200
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}


@pytest.mark.parametrize("path", ["/nowhere", "/v1", "/v2/rooms", "/v1/Rooms", "/docs/nothing.js"])
def test_errors_beside_the_api_are_problems_too(ada: Caller, path: str) -> None:
    """Also where no view is, the answer is a problem document."""
    response = ada.app.test_client().get(path)
    assert response.status_code == 404
    assert response.content_type == "application/problem+json"


@pytest.mark.parametrize(
    "error, status",
    [
        (ExceptionGroup("", [errors.NotFound("a"), errors.NotFound("b")]), 404),
        (ExceptionGroup("", [errors.NotFound("a"), ValueError("b")]), 500),
    ],
)
def test_several_errors_that_say_one_thing_are_one(error: Exception, status: int) -> None:
    """What the tasks of one group failed with for one reason is answered as that reason."""
    assert answer(error).status_code == status


def test_a_listing_of_unknown_fields_names_one(ada: Caller) -> None:
    """Of several unknown fields, at least one is named, so that nobody has to guess."""
    sent: dict[str, Any] = {"name": "x", "colour": 1, "size": 2}
    response = ada.post("/rooms", sent)
    named = response.get_json()["errors"][0]["field"]
    assert named in {"colour", "size"}
