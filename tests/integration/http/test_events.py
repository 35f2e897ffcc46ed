"""Server-sent events over real HTTP: resume, scope, wake-ups, heartbeats, the end of a stream."""

from __future__ import annotations

import asyncio
import json

import pytest

from hub.db.base import Base
from hub.db.outbox import Event
from hub.db.uow import Database
from hub.http.events import EventRoutes, StreamTimes

BEARER = {"Authorization": "Bearer good"}
TIMES = StreamTimes(poll_s=0.2, heartbeat_s=0.3, life_s=30.0)


@pytest.fixture
async def db(tmp_path):
    database = Database.open(f"sqlite:///{tmp_path}/hub.db")
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all, tables=[Base.metadata.tables["events"]])
    yield database
    await database.close()


async def _emit(db, *names, organization_id=None):
    async with db.write() as uow:
        for name in names:
            uow.emit(
                Event(
                    kind="Tested",
                    object_type="test",
                    object_id=name,
                    organization_id=organization_id,
                    data={"text": "line one\nline two"},
                )
            )


async def _read(response, count):
    """Return (id, object_id) of the next events."""
    events, event_id = [], None
    async with asyncio.timeout(10):
        async for line in response.content:
            if line.startswith(b"id: "):
                event_id = line[4:].strip().decode()
            elif line.startswith(b"data: "):
                body = json.loads(line[6:])
                assert body["data"]["text"] == "line one\nline two"
                events.append((event_id, body["object_id"]))
                if len(events) == count:
                    return events
    raise AssertionError("the stream ended")


async def test_a_stream_starts_now_and_goes_on_where_it_was_left(db, serve):
    client = await serve(EventRoutes(db, times=TIMES))
    await _emit(db, "before")
    async with client.get("/api/v1/events", headers=BEARER) as response:
        assert response.content_type == "text/event-stream"
        await _emit(db, "a", "b")
        seen = await _read(response, 2)
    assert [name for _id, name in seen] == ["a", "b"]
    await _emit(db, "c")
    for resumed in (
        {"headers": {**BEARER, "Last-Event-ID": seen[0][0]}},
        {"headers": BEARER, "params": {"last_event_id": seen[0][0]}},
    ):
        async with client.get("/api/v1/events", **resumed) as response:
            assert [name for _id, name in await _read(response, 2)] == ["b", "c"]


async def test_more_events_than_a_batch_arrive_in_order(db, serve):
    client = await serve(EventRoutes(db, times=TIMES))
    names = [str(number) for number in range(450)]
    await _emit(db, *names)
    async with client.get("/api/v1/events", headers={**BEARER, "Last-Event-ID": "0"}) as response:
        assert [name for _id, name in await _read(response, 450)] == names


async def test_only_the_own_organizations_are_seen(db, serve):
    client = await serve(EventRoutes(db, times=TIMES))
    await _emit(db, "system")
    await _emit(db, "other", organization_id=8)
    await _emit(db, "own", organization_id=7)
    headers = {"Authorization": "Bearer rao", "Last-Event-ID": "0"}
    async with client.get("/api/v1/events", headers=headers) as response:
        assert [name for _id, name in await _read(response, 1)] == ["own"]


async def test_a_lost_notice_costs_only_time(db, serve):
    client = await serve(EventRoutes(db, times=TIMES))
    async with client.get("/api/v1/events", headers=BEARER) as response:
        db.notifier.publish = lambda notices: None
        await _emit(db, "a")
        assert [name for _id, name in await _read(response, 1)] == ["a"]


async def test_quiet_streams_send_heartbeats_and_end_in_time(db, serve):
    routes = EventRoutes(db, times=StreamTimes(poll_s=0.1, heartbeat_s=0.2, life_s=0.6))
    client = await serve(routes)
    async with asyncio.timeout(10), client.get("/api/v1/events", headers=BEARER) as response:
        body = await response.text()
    assert body.startswith("retry: 1000\nid: 0\n\n")
    assert ": still here\n\n" in body


async def test_stopping_ends_the_streams(db, serve):
    routes = EventRoutes(db, times=StreamTimes(poll_s=60.0))
    client = await serve(routes)
    async with asyncio.timeout(10), client.get("/api/v1/events", headers=BEARER) as response:
        await response.content.readuntil(b"\n\n")
        routes.stop()
        assert await response.text() == ""


@pytest.mark.parametrize("position", ["x", "1:2:3", "-1", "9" * 30])
async def test_a_foreign_position_is_refused(db, serve, position):
    client = await serve(EventRoutes(db, times=TIMES))
    response = await client.get("/api/v1/events", headers={**BEARER, "Last-Event-ID": position})
    assert response.status == 400
