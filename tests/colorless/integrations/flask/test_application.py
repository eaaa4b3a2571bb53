"""Flask as it is, and Flask with less work for each request: what comes out is the same.

Flask's own test suite is the wider net: with ``flask.Flask`` and ``flask.Response`` replaced by
these it passes as it does without (see docs/flask.md).
"""

from collections.abc import Callable
from typing import Any

import flask
import pytest
from flask import after_this_request, request, session, url_for
from werkzeug.exceptions import SecurityError

import colorless.flask

Make = Callable[..., flask.Flask]


@pytest.fixture(params=[flask.Flask, colorless.flask.Flask], ids=["Flask's", "ours"])
def make(request: pytest.FixtureRequest) -> Make:
    """The class of the application."""
    made: Make = request.param
    return made


def twice(app: flask.Flask, path: str, **options: Any) -> Any:
    """The second of two equal answers: by then everything is remembered."""
    first = app.test_client().open(path, **options)
    second = app.test_client().open(path, **options)
    assert (first.status, first.data) == (second.status, second.data)
    assert list(first.headers) == list(second.headers)
    return second


def test_hooks_run_in_their_order(make: Make) -> None:
    """Every hook of the application and of the blueprint runs, around the view."""
    app, calls = make("shop"), list[tuple[str, str]]()

    def noted(response: Any, call: tuple[str, str]) -> Any:
        calls.append(call)
        return response

    orders = flask.Blueprint("orders", "orders", url_prefix="/orders")
    for owner in (app, orders):
        owner.url_value_preprocessor(lambda *_, o=owner: calls.append(("values", o.name)))
        owner.before_request(lambda o=owner: calls.append(("before", o.name)))
        owner.after_request(lambda r, o=owner: noted(r, ("after", o.name)))
        owner.teardown_request(lambda _, o=owner: calls.append(("teardown", o.name)))
    app.teardown_appcontext(lambda _: calls.append(("teardown", "context")))

    @orders.get("/<int:number>")
    def order(number: int) -> str:
        after_this_request(lambda r: noted(r, ("after", "this")))
        calls.append(("view", str(number)))
        return "ok"

    app.register_blueprint(orders)
    assert app.test_client().get("/orders/7").data == b"ok"
    assert calls == [
        *[("values", "shop"), ("values", "orders"), ("before", "shop"), ("before", "orders")],
        *[("view", "7"), ("after", "this"), ("after", "orders"), ("after", "shop")],
        *[("teardown", "orders"), ("teardown", "shop"), ("teardown", "context")],
    ]


def test_a_hook_may_be_added_between_two_requests_of_a_test(make: Make) -> None:
    """What an application has to do is looked up at each request."""
    app = make("shop")
    app.add_url_rule("/", view_func=lambda: "view")
    assert app.test_client().get("/").data == b"view"
    app.before_request_funcs.setdefault(None, []).append(lambda: "hook")
    assert app.test_client().get("/").data == b"hook"


def test_all_signals_are_sent(make: Make) -> None:
    """A listener hears of every stage of a request, its end included."""
    app, heard = make("shop"), list[str]()
    app.add_url_rule("/", view_func=lambda: "ok")
    names = ["request_started", "request_finished", "request_tearing_down", "appcontext_popped"]
    with listening(app, names, heard):
        app.test_client().get("/")
    assert heard == names


def listening(app: flask.Flask, names: list[str], heard: list[str]) -> Any:
    from contextlib import ExitStack

    stack = ExitStack()
    for each in names:
        listener = lambda *_, each=each, **__: heard.append(each)  # noqa: E731
        stack.enter_context(getattr(flask, each).connected_to(listener, app))
    return stack


def test_a_coroutine_is_not_taken_for_a_plain_function(make: Make) -> None:
    """An ``async def`` view goes the way that the application has for it."""

    class App(make):  # type: ignore[misc, valid-type]
        def async_to_sync(self, func: Any) -> Any:
            return lambda *a, **k: "ran"

    async def view() -> str:
        return "never"

    app = App("shop")
    app.add_url_rule("/", view_func=view)
    assert app.test_client().get("/").data == b"ran"


def test_sessions_are_kept_and_missed(make: Make) -> None:
    """With a secret key a session lasts; without one it is empty, and writing to it says why."""
    app = make("shop")

    @app.get("/count")
    def count() -> str:
        session["seen"] = session.get("seen", 0) + 1
        return str(session["seen"])

    @app.get("/look")
    def look() -> str:
        return str(session.get("seen"))

    app.testing = True
    assert app.test_client().get("/look").data == b"None"
    with pytest.raises(RuntimeError, match="secret key"):
        app.test_client().get("/count")
    assert app.test_client().get("/look").data == b"None"
    app.secret_key = "a key for a test"
    client = app.test_client()
    assert [client.get("/count").data for _ in range(3)] == [b"1", b"2", b"3"]
    assert client.get("/look").headers["Vary"] == "Cookie"


def test_urls_are_built_for_the_host_that_asks(make: Make) -> None:
    """``url_for`` and ``request.host`` follow each request's own host and scheme."""
    app = make("shop")

    @app.get("/where/<int:number>")
    def where(number: int) -> str:
        return f"{url_for('where', number=number, _external=True)} {request.host} {request.url}"

    for scheme, host in [("http", "a.example"), ("https", "b.example:8443"), ("http", "c:80")]:
        text = twice(app, "/where/7?q=1", base_url=f"{scheme}://{host}").text
        bare = host.removesuffix(":80")
        assert text == (f"{scheme}://{bare}/where/7 {bare} {scheme}://{bare}/where/7?q=1")


def test_a_mounted_application_knows_its_prefix(make: Make) -> None:
    """With a SCRIPT_NAME, URLs are built below it."""
    app = make("shop")
    app.add_url_rule("/there", view_func=lambda: url_for("<lambda>", _external=True))
    got = twice(app, "/there", base_url="http://a.example/mounted")
    assert got.text == "http://a.example/mounted/there"


def test_untrusted_hosts_are_refused(make: Make) -> None:
    """``TRUSTED_HOSTS`` holds for every request, whatever was seen before."""
    app = make("shop")
    app.add_url_rule("/", view_func=lambda: "ok")
    assert twice(app, "/", base_url="http://bad.example").status_code == 200
    app.config["TRUSTED_HOSTS"] = ["good.example"]
    assert twice(app, "/", base_url="http://good.example").status_code == 200
    assert twice(app, "/", base_url="http://bad.example").status_code == 400


def test_a_request_class_may_trust_hosts_by_itself(make: Make) -> None:
    """As above, where the application's request class names them."""

    class Request(flask.Request):
        trusted_hosts = ["good.example"]  # noqa: RUF012

    app = make("shop")
    app.request_class = Request
    app.add_url_rule("/", view_func=lambda: "ok")
    app.register_error_handler(SecurityError, lambda _: ("no", 400))
    assert twice(app, "/", base_url="http://good.example").status_code == 200
    assert twice(app, "/", base_url="http://bad.example").status_code == 400


@pytest.mark.parametrize("by", ["subdomain", "host"])
def test_hosts_choose_rules(make: Make, by: str) -> None:
    """Subdomain matching and host matching work, request by request."""
    how = {f"{by}_matching": True}
    app = make("shop", static_folder=None, **how)
    app.config["SERVER_NAME"] = "shop.example" if by == "subdomain" else None
    for each in ("api", "www"):
        options: dict[str, Any] = (
            {"subdomain": each} if by == "subdomain" else {"host": f"{each}.shop.example"}
        )
        app.add_url_rule("/<int:n>", each, lambda n, each=each: f"{each} {n}", **options)
    for number, each in enumerate(["api", "www", "api"]):
        got = twice(app, f"/{number}", base_url=f"http://{each}.shop.example")
        assert got.text == f"{each} {number}"


def test_errors_redirects_and_options_are_flasks(make: Make) -> None:
    """404, 405, a missing slash and OPTIONS are answered as ever, also after a success."""
    app = make("shop")
    app.add_url_rule("/things/", view_func=lambda: "things")
    app.add_url_rule("/things/<int:n>", "thing", lambda n: {"n": n}, methods=["GET", "PUT"])
    app.register_error_handler(404, lambda _: ("nothing", 404))
    assert twice(app, "/things/7").json == {"n": 7}
    assert twice(app, "/things/seven").data == b"nothing"
    assert twice(app, "/things").headers["Location"] == "http://localhost/things/"
    assert twice(app, "/things//7").headers["Location"] == "http://localhost/things/7"
    assert twice(app, "/things/7", method="DELETE").status_code == 405
    assert set(twice(app, "/things/7", method="OPTIONS").allow) >= {"GET", "HEAD", "PUT"}
    assert twice(app, "/things/7", method="HEAD").data == b""
    assert twice(app, "/things/7", method="HEAD").headers["Content-Length"] != "0"


@pytest.fixture
def response(make: Make) -> type[flask.Response]:
    """The response class of the application's class."""
    return make("shop").response_class


ANSWERS: dict[str, Callable[[type[flask.Response]], flask.Response]] = {
    "plain": lambda cls: cls(b"body"),
    "text": lambda cls: cls("body", 201, {"X-Own": "1"}),
    "no length": lambda cls: _without(cls(b"body"), "Content-Length"),
    "location": lambda cls: cls(b"", 201, {"Location": "/made/\u00e9"}),
    "204": lambda cls: cls(b"left out", 204),
    "304": lambda cls: cls(b"left out", 304, {"Content-Language": "en"}),
    "streamed": lambda cls: cls(piece for piece in (b"a", b"b")),
    "two pieces": lambda cls: cls([b"a", b"b"]),
    "cookie": lambda cls: _with_cookie(cls(b"body")),
}


def _without(response: flask.Response, name: str) -> flask.Response:
    del response.headers[name]
    return response


def _with_cookie(response: flask.Response) -> flask.Response:
    response.set_cookie("a", "b")
    return response


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_response_is_the_same_on_the_wire(
    answer: Callable[[type[flask.Response]], flask.Response], method: str
) -> None:
    """Status, fields and body are those of Flask's response."""
    sent = []
    for cls in (flask.Response, colorless.flask.Response):
        app = flask.Flask("shop")
        app.add_url_rule("/", view_func=lambda cls=cls: answer(cls), methods=["GET"])
        got = app.test_client().open("/", method=method)
        sent.append((got.status, list(got.headers), got.data))
    assert sent[0] == sent[1]


def test_a_response_with_a_way_of_its_own_keeps_it(make: Make) -> None:
    """A class derived from Flask's response, as WebSocket libraries have one, stays what it is."""

    class Own(flask.Response):
        def __call__(self, *arguments: Any) -> Any:
            self.data = b"own"
            return super().__call__(*arguments)

    app = make("shop")
    app.add_url_rule("/", view_func=lambda: Own(b"lost"))
    assert twice(app, "/").data == b"own"


def test_an_application_may_have_a_response_class(make: Make) -> None:
    """Whatever a view returns becomes a response of the class that the application names."""

    class Own(flask.Response):
        default_status = 202

        def get_wsgi_headers(self, environ: Any) -> Any:
            headers = super().get_wsgi_headers(environ)
            headers["X-Own"] = "1"
            return headers

    app = make("shop")
    app.response_class = Own
    app.add_url_rule("/text", view_func=lambda: "text")
    app.add_url_rule("/plain", view_func=lambda: flask.Response("plain"), endpoint="plain")
    app.add_url_rule("/ours", view_func=lambda: colorless.flask.Response("ours"), endpoint="ours")
    for path in ("/text", "/plain", "/ours"):
        assert twice(app, path).headers["X-Own"] == "1"
    assert twice(app, "/text").status_code == 202


def test_who_waits_for_the_end_of_a_response_is_called(response: type[flask.Response]) -> None:
    """``call_on_close`` holds for a response of one string, too."""
    app, called = flask.Flask("shop"), []

    @app.get("/")
    def view() -> flask.Response:
        made = response(b"body")
        made.call_on_close(lambda: called.append(True))
        return made

    app.test_client().get("/").close()
    assert called == [True]
