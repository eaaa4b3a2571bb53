"""The rule that a path matches is the one that werkzeug finds, first time and later."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug import routing
from werkzeug.exceptions import HTTPException
from werkzeug.routing import IntegerConverter, Rule

from colorless.integrations.flask.routing import Adapter, Map

SEGMENTS = ["rooms", "7", "<int:n>", "<n>", "<string:n>", "<path:n>", "", "users", "<m>"]
rules = st.lists(st.sampled_from(SEGMENTS), min_size=1, max_size=3).map(lambda s: "/" + "/".join(s))
paths = st.lists(
    st.sampled_from(["rooms", "7", "81", "users", "", "seven", "\u0663", "a\nb", "0", "-1", "%"]),
    min_size=0,
    max_size=4,
).map(lambda s: "/" + "/".join(s))


def found(adapter: routing.MapAdapter) -> Any:
    """What comes out, an error included."""
    try:
        rule, values = adapter.match(return_rule=True)
    except HTTPException as error:
        return type(error), getattr(error, "new_url", None), getattr(error, "valid_methods", None)
    return rule.endpoint, dict(values)


def compare(texts: list[tuple[str, list[str]]], asked: list[tuple[str, str]], **how: Any) -> None:
    """Ask both maps the same, one after the other."""
    ours, theirs = Map(**how), routing.Map(**how)
    for map_ in (ours, theirs):
        for number, (text, methods) in enumerate(texts):
            map_.add(Rule(text, endpoint=number, methods=methods))
    for path, method in asked:
        adapter = Adapter(ours, "host.example", "/", "", "http", path, method, "q=1")
        expected = found(theirs.bind("host.example", "/", "", "http", method, path, "q=1"))
        assert found(adapter) == expected, (texts, path, method)


methods = st.sampled_from([["GET"], ["POST"], ["GET", "POST"]])
questions = st.lists(st.tuples(paths, st.sampled_from(["GET", "POST", "HEAD"])), max_size=12)


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.tuples(rules, methods), min_size=1, max_size=6, unique_by=lambda r: r[0]),
    questions,
    st.booleans(),
    st.booleans(),
)
def test_every_path_matches_as_in_werkzeug(
    texts: list[tuple[str, list[str]]],
    asked: list[tuple[str, str]],
    strict: bool,
    merge: bool,
) -> None:
    """Whatever the rules, and whatever was asked before."""
    texts = [(text, how) for text, how in texts if _valid(text)]
    compare(texts, asked + asked, strict_slashes=strict, merge_slashes=merge)


def _valid(text: str) -> bool:
    """A name may stand in a rule once."""
    return text.count(":n>") + text.count("<n>") < 2 and text.count("<m>") < 2


def test_a_shape_is_matched_once() -> None:
    """Paths that differ only in their numbers cost werkzeug one search."""
    map_ = Map([Rule("/rooms/<int:n>", endpoint="room")])
    for number in range(5):
        adapter = Adapter(map_, "host.example", "/", "", "http", f"/rooms/{number}", "GET")
        assert found(adapter) == ("room", {"n": number})
        # What werkzeug calls before it searches.
        map_.update = lambda: pytest.fail("searched again")  # type: ignore[method-assign]


def test_a_rule_added_later_is_found() -> None:
    """What is remembered is forgotten when there are other rules."""
    map_ = Map([Rule("/rooms/<name>", endpoint="room")])

    def ask() -> Any:
        return found(Adapter(map_, "host.example", "/", "", "http", "/rooms/new", "GET"))

    assert ask() == ask() == ("room", {"name": "new"})
    map_.add(Rule("/rooms/new", endpoint="new"))
    assert ask() == ask() == ("new", {})


class Even(IntegerConverter):
    """Takes even numbers only."""

    def to_python(self, value: str) -> Any:
        number = super().to_python(value)
        if number % 2:
            raise routing.ValidationError
        return number


@pytest.mark.parametrize(
    "rule",
    ["/<even:n>", "/<int(max=3):n>", "/<float:n>", "/v<int:n>", "/<any(a, b):n>", "/<string(2):n>"],
)
def test_rules_that_look_closer_are_asked_each_time(rule: str) -> None:
    """Where the shape of a path does not decide, werkzeug does."""
    converters = {"even": Even}
    ours, theirs = Map(converters=converters), routing.Map(converters=converters)
    for map_ in (ours, theirs):
        map_.add(Rule(rule, endpoint="own"))
        map_.add(Rule("/<other>", endpoint="other"))
    for path in ["/2", "/3", "/4", "/5", "/1.5", "/v1", "/v", "/a", "/c", "/ab", "/abc"] * 2:
        adapter = Adapter(ours, "host.example", "/", "", "http", path, "GET")
        assert found(adapter) == found(theirs.bind("host.example", path_info=path))


def test_another_converter_of_the_same_name_is_asked_each_time() -> None:
    """``int`` may mean something else in an application."""
    map_ = Map(converters={"int": Even})
    map_.add(Rule("/<int:n>", endpoint="even"))
    for path, expected in [("/2", ("even", {"n": 2})), ("/4", ("even", {"n": 4}))]:
        assert found(Adapter(map_, "host.example", "/", "", "http", path, "GET")) == expected
    assert found(Adapter(map_, "host.example", "/", "", "http", "/3", "GET"))[0] is not None
    assert found(Adapter(map_, "host.example", "/", "", "http", "/3", "GET"))[0] != "even"
