"""Errors as ``application/problem+json`` (RFC 9457): the one table from kinds of errors to statuses.

Members beyond the RFC's: ``code`` (stable word), ``errors`` (list of field, message and perhaps code) and
``request_id``. What the caller did not cause is answered without details and logged here, once.
"""

from __future__ import annotations

import json
from typing import Any

import structlog
from aiohttp import web
from pydantic import ValidationError
from sqlalchemy import exc

from hub.db import errors

_log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"

STATUS_OF: tuple[tuple[type[errors.HubError], int], ...] = (
    (errors.Malformed, 400),
    (errors.Unauthenticated, 401),
    (errors.Forbidden, 403),
    (errors.NotFound, 404),
    (errors.Conflict, 409),
    (errors.PolicyViolation, 422),
    (errors.RateLimited, 429),
    (errors.BackendRefused, 502),
    (errors.Unavailable, 503),
)
"""Kind of error -> HTTP status; the first match counts, anything else is a 500."""

_TITLES = {
    400: "Malformed request",
    401: "Not signed in",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    408: "Request timed out",
    409: "Conflict",
    413: "Body too large",
    415: "Unsupported media type",
    422: "Against policy",
    429: "Too many requests",
    500: "Internal error",
    502: "Refused by the CA",
    503: "Unavailable",
}


class BodyTooLarge(errors.Malformed):
    """The request's body is larger than this route takes."""

    code = "body_too_large"


class BodyTooSlow(errors.Malformed):
    """The request's body did not arrive in time."""

    code = "body_too_slow"


class UnsupportedMediaType(errors.Malformed):
    """Send the body as application/json."""

    code = "unsupported_media_type"


class InvalidFields(errors.Malformed):
    """Some fields are missing or wrong."""

    code = "invalid_fields"

    def __init__(self, fields: list[dict[str, str]]) -> None:
        super().__init__()
        self.fields = fields

    @classmethod
    def of(cls, error: ValidationError) -> InvalidFields:
        """Return what pydantic found, without the values: they may be secrets."""
        return cls(
            [
                {"field": ".".join(str(part) for part in item["loc"]), "message": item["msg"]}
                for item in error.errors(include_url=False, include_context=False, include_input=False)
            ]
        )


_OWN_STATUS: dict[type[errors.HubError], int] = {
    BodyTooLarge: 413,
    BodyTooSlow: 408,
    UnsupportedMediaType: 415,
}


def status_of(error: errors.HubError) -> int:
    """Return the HTTP status of a kind of error."""
    own = _OWN_STATUS.get(type(error))
    if own is not None:
        return own
    return next((status for kind, status in STATUS_OF if isinstance(error, kind)), 500)


def problem(
    status: int, *, code: str, detail: str, request_id: str, fields: list[dict[str, str]] | None = None
) -> web.Response:
    """Return a problem document."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": _TITLES.get(status, "Error"),
        "status": status,
        "detail": detail,
        "code": code,
        "errors": fields or [],
        "request_id": request_id,
    }
    return web.Response(status=status, body=json.dumps(body).encode(), content_type=MEDIA_TYPE)


def of_error(error: Exception, request_id: str) -> web.Response:
    """Return the problem document of whatever a handler raised."""
    if isinstance(error, errors.HubError):
        return of_hub_error(error, request_id)
    if isinstance(error, exc.SQLAlchemyError):
        return of_database_error(error, request_id)
    if isinstance(error, ConnectionError):
        return of_lost_connection(error, request_id)
    if isinstance(error, web.HTTPException):
        return problem(error.status, code="http_error", detail=error.reason, request_id=request_id)
    return of_unexpected(error, request_id)


def of_hub_error(error: errors.HubError, request_id: str) -> web.Response:
    """Return the problem of an expected error."""
    status = status_of(error)
    if status == 500:
        return of_unexpected(error, request_id)
    response = problem(
        status, code=error.code, detail=error.message, request_id=request_id, fields=_fields_of(error)
    )
    if isinstance(error, errors.RateLimited | errors.Unavailable):
        response.headers["Retry-After"] = str(error.retry_after_s)
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="certwright"'
    return response


def of_unexpected(error: BaseException, request_id: str) -> web.Response:
    """Return the problem of an error that nobody expected, and log it with its trace."""
    _log.error("request_failed", request_id=request_id, exc_info=error)
    return problem(
        500,
        code="internal",
        detail="something went wrong in the hub; its log has more under this request id",
        request_id=request_id,
    )


def of_database_error(error: exc.SQLAlchemyError, request_id: str) -> web.Response:
    """Return the problem of a database that is away, busy, or was written by somebody else first."""
    if isinstance(error, exc.IntegrityError) and _is_duplicate(error):
        _log.warning("duplicate_refused_by_database", request_id=request_id, error=str(error.orig))
        return of_hub_error(errors.Conflict("such an object exists already"), request_id)
    away = isinstance(error, exc.OperationalError | exc.InterfaceError | exc.TimeoutError)
    if away or (isinstance(error, exc.DBAPIError) and error.connection_invalidated):
        _log.error("database_unavailable", request_id=request_id, error=str(error).splitlines()[0])
        return of_hub_error(errors.Unavailable("the database can't be reached or is busy"), request_id)
    return of_unexpected(error, request_id)


def of_lost_connection(error: ConnectionError, request_id: str) -> web.Response:
    """Return the problem of something behind the hub that refused or cut a connection."""
    _log.error("connection_failed", request_id=request_id, error=str(error))
    return of_hub_error(errors.Unavailable(), request_id)


def _is_duplicate(error: exc.IntegrityError) -> bool:
    return getattr(error.orig, "sqlstate", "") == "23505" or "UNIQUE constraint failed" in str(error.orig)


def _fields_of(error: errors.HubError) -> list[dict[str, str]]:
    if isinstance(error, InvalidFields):
        return error.fields
    # Policies report every rule that was broken, each with a stable reason.
    findings = getattr(error, "findings", None)
    if findings:
        return [
            {
                "field": getattr(item, "field", None) or error.field or "",
                "message": item.message,
                "code": item.reason,
            }
            for item in findings
        ]
    return [{"field": error.field, "message": error.message}] if error.field else []
