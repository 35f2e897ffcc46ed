"""From a raw request to checked inputs: bounded body, query parameters and their schemas."""

from __future__ import annotations

import asyncio
import typing
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ValidationError

from hub.db.errors import Malformed
from hub.http.problems import BodyTooLarge, BodyTooSlow, InvalidFields, UnsupportedMediaType

BODY_TIMEOUT_S = 60.0
_CHUNK = 64 * 1024


async def read_body(request: web.Request, *, limit: int) -> bytes:
    """Read at most ``limit`` bytes; what is announced as larger is refused unread.

    Raises:
        BodyTooLarge: more came, or was announced.
        BodyTooSlow: it did not end within a minute.
    """
    message = f"the body is larger than {limit} bytes"
    if request.content_length is not None and request.content_length > limit:
        raise BodyTooLarge(message)
    await _send_continue(request)
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            # Counts after decompression, so that a small compressed body can't grow large.
            async for chunk in request.content.iter_chunked(_CHUNK):
                body += chunk
                if len(body) > limit:
                    raise BodyTooLarge(message)
    except TimeoutError as error:
        raise BodyTooSlow from error
    return bytes(body)


async def read_short_body(request: web.Request, *, limit: int) -> bytes:
    """Do as :func:`read_body`, at once where all of a body that is not compressed has come already."""
    if request.content.is_eof() and "Content-Encoding" not in request.headers:
        body = request.content.read_nowait()
        if len(body) > limit:
            raise BodyTooLarge(f"the body is larger than {limit} bytes")
        return body
    return await read_body(request, limit=limit)


async def expect_nothing(_request: web.Request) -> None:
    """Hold back ``100 Continue`` until the caller is known and the body is wanted."""


async def _send_continue(request: web.Request) -> None:
    if request.headers.get("Expect", "").lower() == "100-continue" and request.transport is not None:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")


def parse_body(request: web.Request, schema: type[BaseModel], body: bytes) -> BaseModel:
    """Return the JSON body as ``schema``.

    Raises:
        UnsupportedMediaType: it is not announced as JSON. A form of another site can't announce that.
        InvalidFields: it is not JSON, or does not fit the schema.
    """
    if request.content_type != "application/json":
        raise UnsupportedMediaType
    try:
        return schema.model_validate_json(body)
    except ValidationError as error:
        raise InvalidFields.of(error) from None


def parse_query(request: web.Request, schema: type[BaseModel]) -> BaseModel:
    """Return the query parameters as ``schema``; list fields take repeated parameters.

    Raises:
        Malformed: a single parameter is repeated.
        InvalidFields: the parameters don't fit the schema.
    """
    values: dict[str, Any] = {}
    for name in request.query:
        found = request.query.getall(name)
        field = schema.model_fields.get(name)
        if field is not None and _is_list(field.annotation):
            values[name] = found
        elif len(found) == 1:
            values[name] = found[0]
        else:
            raise Malformed(f"{name!r} may be given once", field=name)
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        raise InvalidFields.of(error) from None


def _is_list(annotation: Any) -> bool:
    if typing.get_origin(annotation) in {list, tuple, set, frozenset}:
        return True
    return any(_is_list(part) for part in typing.get_args(annotation))
