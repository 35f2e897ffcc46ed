"""Declaring routes: method, path, action, schemas and handler in one place.

A room's ``routes.py`` has a class derived from :class:`RouteSet` whose handlers carry these decorators.
``hub.app`` collects the sets; the shell authenticates, asks the policy for ``action``, parses path, query
and body by their schemas, calls the handler and turns what it returns into JSON (or CSV, or bytes). The
OpenAPI document is made from the same declarations. A route without an action can't be declared.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel

API_BASE = "/api/v1"

PUBLIC = "public"
"""Action of routes that anybody may call, such as signing in."""

HandlerT = TypeVar("HandlerT", bound=Callable[..., Awaitable[Any]])
_MARK = "__certwright_route__"


@dataclass(frozen=True, slots=True)
class RawResponse:
    """A response that is not JSON: a download, or another protocol's message."""

    body: bytes
    media_type: str
    filename: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 200


@dataclass(frozen=True, slots=True)
class StreamedResponse:
    """A download that is produced while it is sent; ``chunks`` is read once.

    An empty chunk sends nothing: a source that waits gives one now and then, and is ended when the caller has
    gone.
    """

    chunks: AsyncIterator[bytes]
    media_type: str
    filename: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A JSON response with more than its value: headers, or the start or end of a console session.

    ``start_pending`` and ``end_pending`` do the same for a sign-in that is under way.
    """

    value: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    start_session: str | None = field(default=None, repr=False)
    end_session: bool = False
    start_pending: str | None = field(default=None, repr=False)
    end_pending: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteSpec:
    """The declaration of one route.

    ``path`` is relative to the set's prefix and may hold ``{name}`` and ``{name:int}``. ``action`` is the
    stable name that the access policy decides on, such as ``certificates.approve``. ``returns`` None means
    204; :class:`RawResponse` means bytes of ``media_type``. ``listing`` is the declaration of a list
    (:class:`hub.http.listing.Listing`), so that the API document can name its columns. A route with
    ``reads_raw_body`` takes the request's bytes as they are, in ``call.raw_body``: other protocols' messages.
    A ``lean`` route is public and asked for by programs, thousands of times a second: it is counted but not
    logged, and its answers carry nothing for browsers.
    """

    method: str
    path: str
    action: str
    summary: str
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    returns: Any = None
    status: int = 200
    max_body_bytes: int = 1024 * 1024
    media_type: str = "application/json"
    listing: Any = None
    reads_raw_body: bool = False
    lean: bool = False


@dataclass(frozen=True, slots=True)
class BoundRoute:
    """A route joined to its handler and its full path, such as ``/api/v1/certificates/{id:int}``."""

    spec: RouteSpec
    path: str
    tag: str
    handler: Callable[..., Awaitable[Any]]

    @property
    def in_api(self) -> bool:
        """Whether the route belongs to the admin API, and not to a protocol beside it."""
        return self.path.startswith(API_BASE + "/")


class RouteSet:
    """Base of a room's routes. Subclasses set ``prefix`` ("/certificates") and ``tag``.

    ``base`` is put before the prefix. Protocol front doors and public downloads (``/crl``, ``/acme``) set it
    to ``""`` and so live beside the API: left out of the API document, and blind to cookies.
    """

    base: str = API_BASE
    prefix: str = ""
    tag: str = ""

    def routes(self) -> list[BoundRoute]:
        """Return the declared routes, in the order of their declaration."""
        bound = []
        for name in dir(type(self)):
            spec: RouteSpec | None = getattr(getattr(type(self), name), _MARK, None)
            if spec is not None:
                path = self.base + self.prefix + spec.path
                bound.append(BoundRoute(spec, path, self.tag, getattr(self, name)))
        return sorted(bound, key=lambda route: (route.path, route.spec.method))


def _route(spec: RouteSpec) -> Callable[[HandlerT], HandlerT]:
    def mark(handler: HandlerT) -> HandlerT:
        setattr(handler, _MARK, spec)
        return handler

    return mark


def get(path: str, *, action: str, summary: str, **options: Any) -> Callable[[HandlerT], HandlerT]:
    """Declare a GET route; ``options`` are fields of :class:`RouteSpec`."""
    return _route(RouteSpec(method="GET", path=path, action=action, summary=summary, **options))


def post(path: str, *, action: str, summary: str, **options: Any) -> Callable[[HandlerT], HandlerT]:
    """Declare a POST route."""
    return _route(RouteSpec(method="POST", path=path, action=action, summary=summary, **options))


def put(path: str, *, action: str, summary: str, **options: Any) -> Callable[[HandlerT], HandlerT]:
    """Declare a PUT route."""
    return _route(RouteSpec(method="PUT", path=path, action=action, summary=summary, **options))


def patch(path: str, *, action: str, summary: str, **options: Any) -> Callable[[HandlerT], HandlerT]:
    """Declare a PATCH route."""
    return _route(RouteSpec(method="PATCH", path=path, action=action, summary=summary, **options))


def delete(path: str, *, action: str, summary: str, **options: Any) -> Callable[[HandlerT], HandlerT]:
    """Declare a DELETE route."""
    return _route(RouteSpec(method="DELETE", path=path, action=action, summary=summary, **options))
