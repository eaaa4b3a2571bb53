"""The OpenAPI 3.1 document, generated from the declarations of the views."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import msgspec
from apispec import APISpec

from service.api.errors import Problem
from service.api.routes import Route, Routes

_REF = "#/components/schemas/{name}"
_JSON = "application/json"
_PROBLEM = "application/problem+json"


def document(modules: Iterable[Routes]) -> dict[str, Any]:
    """The whole document, ready for JSON."""
    modules = list(modules)
    spec = APISpec(
        title="Colorless chat",
        version="1",
        openapi_version="3.1.0",
        info={
            "description": "Rooms, messages, reactions, search. Errors are RFC 9457 problem "
            "documents. Sign up, log in, and send the token as `Authorization: Bearer …`."
        },
        servers=[{"url": "/"}],
        tags=[{"name": it.tag, "description": it.about} for it in modules if it.about],
    )
    spec.components.security_scheme("token", {"type": "http", "scheme": "bearer"})
    routes = [route for module in modules for route in module.all]
    for name, schema in _components(routes).items():
        spec.components.schema(name, schema)
    for module in modules:
        for route in module.all:
            spec.path(
                "/v1" + route.path, operations={route.method.lower(): _operation(route, module.tag)}
            )
    return spec.to_dict()


def _components(routes: list[Route]) -> dict[str, Any]:
    kinds = {kind for route in routes for kind in (route.body, route.returns) if kind is not None}
    return msgspec.json.schema_components(
        sorted([*kinds, Problem], key=lambda kind: kind.__name__), ref_template=_REF
    )[1]


def _operation(route: Route, tag: str) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "tags": [tag],
        "summary": inspect.getdoc(route.view),
        "parameters": [*_path_parameters(route), *_query_parameters(route)],
        "responses": _responses(route),
        "security": [{"token": []}] if route.needs_token else [],
    }
    if route.body is not None:
        operation["requestBody"] = {
            "required": any(field.required for field in msgspec.structs.fields(route.body)),
            "content": {_JSON: {"schema": _schema(route.body)}},
        }
    return operation


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": _schema(kind)}
        for name, kind in route.path_parameters.items()
    ]


def _query_parameters(route: Route) -> list[dict[str, Any]]:
    if route.query is None:
        return []
    return [
        {"name": field.encode_name, "in": "query", "required": field.required}
        | {"schema": _without_null(_schema(field.type))}
        for field in msgspec.structs.fields(route.query)
    ]


def _responses(route: Route) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": HTTPStatus(route.status).phrase}
    if route.returns is not None:
        answer["content"] = {_JSON: {"schema": _schema(route.returns)}}
    responses = {str(route.status): answer}
    for status, words in route.also.items():
        responses[str(status)] = answer | {"description": words}
    for status in _statuses_of_errors(route):
        responses[str(status)] = {
            "description": HTTPStatus(status).phrase,
            "content": {_PROBLEM: {"schema": _schema(Problem)}},
        }
    return responses


def _statuses_of_errors(route: Route) -> list[int]:
    statuses = {*route.errors, 503}
    if route.path_parameters:
        statuses.add(404)
    if route.needs_token:
        statuses.add(401)
    if route.limit != "none":
        statuses.add(429)
    if route.body is not None:
        statuses |= {413, 415, 422}
    if route.query is not None:
        statuses.add(422)
    return sorted(statuses)


def _schema(kind: Any) -> dict[str, Any]:
    return msgspec.json.schema_components([kind], ref_template=_REF)[0][0]


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without null, which a query string cannot have: the parameter is left out."""
    kinds = [kind for kind in schema.get("anyOf", []) if kind != {"type": "null"}]
    return kinds[0] if len(kinds) == 1 else schema
