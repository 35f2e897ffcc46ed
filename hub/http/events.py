"""Server-sent events: what happens, while it happens, read from the outbox.

https://html.spec.whatwg.org/multipage/server-sent-events.html. A browser that reconnects sends the last id
it saw in ``Last-Event-ID`` and misses nothing. Notices wake the readers; a slow poll covers lost ones. A
stream ends by itself after a while: the browser reconnects at once, and its rights are checked again.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from hub.db.notify import Notice
from hub.db.outbox import OutboxEvent
from hub.db.outbox_reader import OutboxReader, Position, parse_position, position_of
from hub.db.uow import Database
from hub.http.calls import Call
from hub.http.columns import value_text
from hub.http.principal import Principal
from hub.http.routing import RouteSet, StreamedResponse, get

_WAKE_UP = Notice("events")


Visible = Callable[[Principal, OutboxEvent], bool]


def may_see(principal: Principal, event: OutboxEvent) -> bool:
    """Whether ``principal`` may learn of ``event``, as far as organizations go; the hub asks its policy."""
    return principal.sees_everything or event.organization_id in principal.organization_ids


class EventsQuery(BaseModel):
    """Query parameters of the event stream."""

    model_config = ConfigDict(extra="forbid")

    last_event_id: str | None = Field(
        default=None,
        max_length=40,
        description="As the Last-Event-ID header, for clients that can't set one.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamTimes:
    """How an event stream behaves over time, in seconds."""

    poll_s: float = 5.0
    heartbeat_s: float = 15.0
    life_s: float = 120.0


class EventRoutes(RouteSet):
    """The live stream of the API."""

    prefix = "/events"
    tag = "events"

    def __init__(self, db: Database, *, times: StreamTimes | None = None, visible: Visible = may_see) -> None:
        self._db = db
        self._visible = visible
        self._reader = OutboxReader(db)
        self._times = times or StreamTimes()
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """End all streams, so that the server can drain."""
        self._stopping.set()
        self._db.notifier.publish([_WAKE_UP])

    @get(
        "",
        action="events.view",
        summary="Stream events (text/event-stream)",
        query=EventsQuery,
        returns=StreamedResponse,
        media_type="text/event-stream",
    )
    async def stream(self, call: Call[None, EventsQuery]) -> StreamedResponse:
        """Stream what happens from now on, or from the position that the caller names."""
        named = call.headers.get("Last-Event-ID") or call.query.last_event_id
        start = parse_position(named) if named else await self._reader.end()
        return StreamedResponse(
            self._chunks(start, call.principal),
            media_type="text/event-stream",
            headers={"X-Accel-Buffering": "no"},
        )

    async def _chunks(self, position: Position, principal: Principal) -> AsyncIterator[bytes]:
        ends = time.monotonic() + self._times.life_s
        last_sent = time.monotonic()
        async with self._db.notifier.subscribe("events") as notices:
            yield f"retry: 1000\nid: {position}\n\n".encode()
            while not self._stopping.is_set() and time.monotonic() < ends:
                notices.drain()
                events = await self._reader.after(position)
                seen = [
                    _encode(event, position_of(event)) for event in events if self._visible(principal, event)
                ]
                if seen:
                    last_sent = time.monotonic()
                    yield b"".join(seen)
                if events:
                    position = position_of(events[-1])
                    continue
                if time.monotonic() - last_sent >= self._times.heartbeat_s:
                    last_sent = time.monotonic()
                    yield b": still here\n\n"
                else:
                    yield b""  # nothing to send; has the shell look whether the caller is still there
                await notices.get(timeout_s=self._times.poll_s)


def _encode(event: OutboxEvent, position: Position) -> bytes:
    data = {
        "kind": event.kind,
        "at": value_text(event.at),
        "object_type": event.object_type,
        "object_id": event.object_id,
        "organization_id": event.organization_id,
        "data": event.data,
    }
    # JSON escapes line ends, so one data line is enough. All go as the default "message" type: a browser
    # would need to subscribe to each kind otherwise.
    return f"id: {position}\ndata: {json.dumps(data)}\n\n".encode()
