"""The hub's errors as gRPC statuses: one table for both services.

The details are the error's code, a colon, and its message, so that an agent can tell a spent token from an
expired one without parsing prose.
"""

from __future__ import annotations

import grpc

from hub.db.errors import (
    Conflict,
    Forbidden,
    HubError,
    Malformed,
    NotFound,
    PolicyViolation,
    RateLimited,
    Unauthenticated,
    Unavailable,
)

STATUSES: tuple[tuple[type[HubError], grpc.StatusCode], ...] = (
    (Malformed, grpc.StatusCode.INVALID_ARGUMENT),
    (NotFound, grpc.StatusCode.NOT_FOUND),
    (Unauthenticated, grpc.StatusCode.UNAUTHENTICATED),
    (Forbidden, grpc.StatusCode.PERMISSION_DENIED),
    (Conflict, grpc.StatusCode.FAILED_PRECONDITION),
    (PolicyViolation, grpc.StatusCode.FAILED_PRECONDITION),
    (RateLimited, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (Unavailable, grpc.StatusCode.UNAVAILABLE),
)


def status_of(error: HubError) -> tuple[grpc.StatusCode, str]:
    """Return the status and the details for an error."""
    for kind, status in STATUSES:
        if isinstance(error, kind):
            return status, f"{error.code}: {error.message}"
    return grpc.StatusCode.INTERNAL, f"{error.code}: the hub failed; its log says why"
