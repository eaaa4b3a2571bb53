"""Flask, with less work for each request. Needs Flask; nothing else in colorless imports this.

    from colorless.flask import Flask, Response
    from flask import request                       # and so on: the rest stays as it is

Both are subclasses of Flask's own and behave as they do: what an application uses (hooks, signals,
sessions, blueprints, subdomains, trusted hosts, converters of its own, ...) runs Flask's code. They
only step over what this application, or this request, has no use for, and remember what came out
the last time. Everything here overrides a documented method or attribute; docs/flask.md has what
each is worth.

    response  a response whose body is one string
    routing   which rule a path matches, remembered by the path's shape
    app       the application
"""

from colorless.extras import needs_extra

with needs_extra("colorless.flask", "flask"):
    from colorless.integrations.flask.app import Flask
    from colorless.integrations.flask.response import Response

__all__ = ["Flask", "Response"]
