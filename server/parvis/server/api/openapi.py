"""Describes the HTTP API as OpenAPI 3.1, from the same table that serves it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

from parvis.plugins import Route

from .bodies import schema
from .contract import Endpoint, Who

ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "hint"],
            "properties": {
                "code": {"type": "string", "description": "Stable; branch on it."},
                "message": {"type": "string"},
                "hint": {"type": "string"},
            },
        }
    },
}


def document(
    base: str, endpoints: Sequence[Endpoint], routes: Iterable[tuple[str, Route]]
) -> dict[str, Any]:
    """Return the whole description.

    Args:
        base: Path of the API.
        endpoints: Of the core.
        routes: Of the room types, each with its type's name.
    """
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        path = _plain(base + endpoint.path)
        paths.setdefault(path, {})[endpoint.method.lower()] = _operation(endpoint)
    for kind, route in routes:
        path = _plain(f"{base}/{kind}/{route.path.lstrip('/')}")
        paths.setdefault(path, {})[route.method.lower()] = _route(kind, path, route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Parvis", "version": version("parvis")},
        "paths": paths,
        "components": {
            "schemas": {"Error": ERROR},
            "securitySchemes": {
                "cookie": {"type": "apiKey", "in": "cookie", "name": "parvis"},
                "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            },
        },
    }


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.handle.__name__,
        "summary": endpoint.summary,
        "description": f"For {endpoint.who.value}.",
        "security": [] if endpoint.who is Who.ANYONE else [{"cookie": []}, {"token": []}],
        "parameters": _parameters(endpoint.path) + _query(endpoint.query),
        "responses": {str(endpoint.status): {"description": "Done."}, "default": _error()},
    }
    if endpoint.body is not None:
        content = {"application/json": {"schema": schema(endpoint.body)}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _route(kind: str, path: str, route: Route) -> dict[str, Any]:
    done: dict[str, Any] = {"description": "Done."}
    if route.status != 204:
        done["content"] = {route.answer: {}}
    operation: dict[str, Any] = {
        "tags": [kind],
        "summary": route.summary,
        "security": [] if route.public else [{"cookie": []}, {"token": []}],
        "parameters": _parameters(path) + _query(route.query),
        "responses": {str(route.status): done, "default": _error()},
    }
    if route.body is not None:
        content = {"application/json": {"schema": schema(route.body)}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _parameters(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"\{(\w+)", path)
    ]


def _query(meanings: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "query", "description": meaning, "schema": {"type": "string"}}
        for name, meaning in meanings.items()
    ]


def _plain(path: str) -> str:
    return re.sub(r"\{(\w+)[^}]*\}", r"{\1}", path)


def _error() -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {"description": "Refused.", "content": content}
