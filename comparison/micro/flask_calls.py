"""What Flask itself takes of a request: ``python -m comparison.micro.flask_calls``.

Flask's own application class and ``colorless.flask``'s are called in this process, without a
server, with views that do nothing. CPU time of this process per call, interleaved rounds: the
least of them, which a busy machine disturbs least, and the median.
"""

import statistics
import time
from typing import Any

import flask
from rich.console import Console
from rich.table import Table
from werkzeug.test import EnvironBuilder

import colorless.flask

ROUNDS = 25
CALLS = 300
PATHS = ("/json", "/rooms/7/messages?limit=9")
KINDS: dict[str, type[flask.Flask]] = {"Flask's": flask.Flask, "ours": colorless.flask.Flask}


def main() -> None:
    """Measure and print the table."""
    apps = {name: application(kind) for name, kind in KINDS.items()}
    table = Table("path", "class", "µs of CPU, least", "median")
    for path in PATHS:
        costs: dict[str, list[float]] = {name: [] for name in apps}
        for _ in range(ROUNDS):
            for name, app in apps.items():
                costs[name].append(micros(app, path))
        for name, seen in costs.items():
            table.add_row(path, name, f"{min(seen):.1f}", f"{statistics.median(seen):.1f}")
    Console().print(table)


def application(kind: type[flask.Flask]) -> flask.Flask:
    """A few rules, as applications have them, and answers of one string."""
    app = kind("calls")
    answer = app.response_class

    def plain() -> flask.Response:
        return answer(b"{}", 200, mimetype="application/json")

    def numbered(number: int) -> flask.Response:
        return plain()

    app.add_url_rule("/json", view_func=plain)
    for path in ("/users/<int:number>", "/rooms/<int:number>", "/rooms/<int:number>/messages"):
        app.add_url_rule(path, endpoint=path, view_func=numbered)
    return app


def micros(app: flask.Flask, path: str) -> float:
    """CPU of one call, with all that a server does to the answer but to send it."""
    environ = EnvironBuilder(path).get_environ()
    began = time.process_time()
    for _ in range(CALLS):
        result: Any = app(dict(environ), lambda status, headers, error=None: print)
        for _piece in result:
            pass
        if hasattr(result, "close"):
            result.close()
    return (time.process_time() - began) / CALLS * 1e6


if __name__ == "__main__":
    main()
