"""The API's description, OpenAPI 3.1, made from the declarations of the routes.

https://spec.openapis.org/oas/v3.1.0. The output depends on the declarations alone and is sorted, so that a
committed copy can be compared with it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field, TypeAdapter

from hub import __version__
from hub.http.authentication import CSRF_HEADER
from hub.http.calls import Call
from hub.http.listing import Listing
from hub.http.routing import PUBLIC, BoundRoute, RawResponse, RouteSet, StreamedResponse, get

_REF = "#/components/schemas/{model}"
_PARAMETER = re.compile(r"\{(\w+)(?::(\w+))?\}")
_PROBLEM = {"$ref": "#/components/responses/Problem"}

Json = dict[str, Any]


class FieldError(BaseModel):
    """What is wrong with one field."""

    field: str = Field(description="Path of the field in the body, or the query parameter's name.")
    message: str
    code: str | None = Field(default=None, description="Stable reason, where a policy decided.")


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: str = Field(description="Stable word for the kind of error.")
    errors: list[FieldError]
    request_id: str = Field(description="The hub's log has more under it.")


@dataclass(frozen=True, slots=True)
class _Operation:
    route: BoundRoute
    operation_id: str


def openapi_document(route_sets: Iterable[RouteSet]) -> Json:
    """Return the OpenAPI document of all routes of the API.

    Raises:
        ValueError: two operations would have the same id.
    """
    operations = _operations(route_sets)
    schemas, definitions = _schemas(operations)
    paths: dict[str, Json] = {}
    for operation in operations:
        path = _PARAMETER.sub(r"{\1}", operation.route.path)
        paths.setdefault(path, {})[operation.route.spec.method.lower()] = _describe(
            operation, schemas, definitions
        )
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": "Certwright",
            "version": __version__,
            "description": "Admin API of the certificate lifecycle manager.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in sorted({operation.route.tag for operation in operations})],
        "paths": paths,
        "components": {
            "schemas": definitions,
            "responses": {
                "Problem": {
                    "description": "An error.",
                    "content": {
                        "application/problem+json": {"schema": {"$ref": _REF.format(model="Problem")}}
                    },
                }
            },
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "An API token (cwk_...)."},
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "__Host-certwright_session",
                    "description": f"A console session; changes also need the header {CSRF_HEADER}.",
                },
            },
        },
    }
    _prune(document)
    return document


def openapi_text(route_sets: Iterable[RouteSet]) -> str:
    """Return the document as JSON text: sorted, indented, ending in a line end."""
    return json.dumps(openapi_document(route_sets), indent=2, sort_keys=True) + "\n"


class OpenApiRoutes(RouteSet):
    """Serves the document of the other routes; built once."""

    tag = "operations"

    def __init__(self, route_sets: Sequence[RouteSet]) -> None:
        self._document = openapi_text(route_sets).encode()

    @get(
        "/openapi.json",
        action=PUBLIC,
        summary="This description",
        returns=RawResponse,
        media_type="application/json",
    )
    async def openapi(self, _call: Call[None, None]) -> RawResponse:
        """Return the OpenAPI document."""
        return RawResponse(self._document, "application/json")


def _operations(route_sets: Iterable[RouteSet]) -> list[_Operation]:
    routes = [route for route_set in route_sets for route in route_set.routes() if route.in_api]
    operations = []
    seen: set[str] = set()
    for route in sorted(routes, key=lambda item: (item.path, item.spec.method)):
        name = getattr(route.handler, "__name__", route.spec.method.lower())
        operation_id = f"{route.tag}_{name}".replace("-", "_").replace(" ", "_")
        if operation_id in seen:
            raise ValueError(f"two routes would be called {operation_id}")
        seen.add(operation_id)
        operations.append(_Operation(route, operation_id))
    return operations


def _schemas(operations: Sequence[_Operation]) -> tuple[dict[Any, Json], dict[str, Json]]:
    inputs: list[tuple[Any, Any, TypeAdapter[Any]]] = [("problem", "serialization", TypeAdapter(Problem))]
    for operation in operations:
        spec = operation.route.spec
        if spec.body is not None:
            inputs.append(((operation.operation_id, "body"), "validation", TypeAdapter(spec.body)))
        if spec.query is not None:
            inputs.append(((operation.operation_id, "query"), "validation", TypeAdapter(spec.query)))
        if spec.returns not in {None, RawResponse, StreamedResponse}:
            inputs.append(((operation.operation_id, "returns"), "serialization", TypeAdapter(spec.returns)))
    found, rest = TypeAdapter.json_schemas(inputs, ref_template=_REF)
    return {key: schema for (key, _mode), schema in found.items()}, rest.get("$defs", {})


def _describe(operation: _Operation, schemas: dict[Any, Json], definitions: dict[str, Json]) -> Json:
    spec = operation.route.spec
    described: Json = {
        "operationId": operation.operation_id,
        "summary": spec.summary,
        "tags": [operation.route.tag],
        "x-action": spec.action,
        "security": [] if spec.action == PUBLIC else [{"token": []}, {"session": []}],
        "responses": _responses(operation, schemas),
    }
    parameters = _path_parameters(operation.route.path)
    query = schemas.get((operation.operation_id, "query"))
    if query is not None:
        parameters += _query_parameters(_resolved(query, definitions), spec.listing)
    if parameters:
        described["parameters"] = parameters
    body = schemas.get((operation.operation_id, "body"))
    if body is not None:
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    elif spec.reads_raw_body:
        described["requestBody"] = {"required": True, "content": {"application/octet-stream": {}}}
    return described


def _responses(operation: _Operation, schemas: dict[Any, Json]) -> Json:
    spec = operation.route.spec
    schema = schemas.get((operation.operation_id, "returns"))
    responses: Json = {"default": _PROBLEM}
    if spec.returns is None:
        responses["204" if spec.status == 200 else str(spec.status)] = {"description": "Done."}
        return responses
    content: Json = {spec.media_type: {"schema": schema} if schema is not None else {}}
    if spec.listing is not None:
        content["text/csv"] = {"schema": {"type": "string"}}
    responses[str(spec.status)] = {"description": "Done.", "content": content}
    return responses


def _path_parameters(path: str) -> list[Json]:
    return [
        {
            "name": match[1],
            "in": "path",
            "required": True,
            "schema": {"type": "integer" if match[2] == "int" else "string"},
        }
        for match in _PARAMETER.finditer(path)
    ]


def _query_parameters(schema: Json, listing: Listing[Any] | None) -> list[Json]:
    parameters = []
    for name, property_ in schema.get("properties", {}).items():
        shape = {key: value for key, value in property_.items() if key not in {"title", "description"}}
        parameter: Json = {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", []),
            "schema": shape,
        }
        if "description" in property_:
            parameter["description"] = property_["description"]
        if listing is not None:
            _name_columns(parameter, listing)
        parameters.append(parameter)
    return parameters


def _name_columns(parameter: Json, listing: Listing[Any]) -> None:
    if parameter["name"] == "sort":
        names = listing.sortable_names
        parameter["schema"] = {
            "type": "string",
            "enum": [*names, *(f"-{name}" for name in names)],
            "default": listing.default_sort,
        }
    elif parameter["name"] == "columns":
        names = [column.name for column in listing.columns]
        parameter["schema"] = {"type": "array", "items": {"type": "string", "enum": names}}
    elif parameter["name"] == "filter":
        kinds = ", ".join(
            f"{column.name} ({'|'.join(column.choices) or column.kind})"
            for column in listing.columns
            if column.filterable
        )
        parameter["description"] = f"{parameter['description']} Columns: {kinds}."


def _resolved(schema: Json, definitions: dict[str, Json]) -> Json:
    reference = schema.get("$ref")
    return schema if reference is None else definitions[reference.rsplit("/", 1)[1]]


def _prune(document: Json) -> None:
    """Drop schemas that nothing points to: those of query parameters, which are spelled out."""
    schemas: dict[str, Json] = document["components"]["schemas"]
    outside = {**document, "components": {**document["components"], "schemas": {}}}
    wanted: set[str] = set()
    waiting = _references(outside)
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted.add(name)
            waiting |= _references(schemas[name])
    document["components"]["schemas"] = {name: schemas[name] for name in sorted(wanted)}


def _references(value: Any) -> set[str]:
    if isinstance(value, dict):
        found = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        names = {
            reference.rsplit("/", 1)[1]
            for reference in found
            if reference.startswith("#/components/schemas/")
        }
        return names.union(*(_references(item) for item in value.values()))
    if isinstance(value, list):
        return set().union(*(_references(item) for item in value))
    return set()
