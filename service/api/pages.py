"""The page, the API reference, and the OpenAPI document it is made from."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from flask import Blueprint, Flask, Response, redirect
from flask_swagger_ui import get_swaggerui_blueprint
from werkzeug.wrappers import Response as BaseResponse

from service.api.openapi import document
from service.api.routes import Routes

# No inline scripts and nothing from other sites: a message that got into the page as markup could
# still run nothing.
_ONLY_FROM_HERE = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"


def register(app: Flask, modules: Iterable[Routes]) -> None:
    """Serve /, /docs and /openapi.json; the assets come with the packages, from no other site."""
    openapi = msgspec.json.encode(document(modules))
    pages = Blueprint("pages", __name__, static_folder="../web/static", static_url_path="/static")

    @pages.get("/")
    def index() -> Response:
        page = pages.send_static_file("index.html")
        page.headers["Content-Security-Policy"] = _ONLY_FROM_HERE
        return page

    @pages.get("/openapi.json")
    def openapi_json() -> Response:
        return Response(openapi, content_type="application/json")

    @pages.get("/docs")
    def docs() -> BaseResponse:
        return redirect("/docs/")

    app.register_blueprint(pages)
    app.register_blueprint(
        get_swaggerui_blueprint("/docs", "/openapi.json", config={"app_name": "Colorless chat"})
    )
