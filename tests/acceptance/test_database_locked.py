"""Another process holds the database's write lock: requests wait, or are told when to come again."""

import http.client
import json
import sqlite3
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import pytest

from tests.acceptance.faulty import Faults
from tests.acceptance.signing_requests import csr, pem

PATIENCE_S = 2


@pytest.fixture(scope="module")
def impatient(copies):
    """A hub that waits two seconds for a lock instead of ten."""
    world = copies()
    faults = Faults(world.folder, "hub").constant("hub.db.engine:BUSY_TIMEOUT_MS", PATIENCE_S * 1000)
    world.hub.program = faults.command()
    try:
        world.start_hub()
        yield world
    finally:
        world.stop()


@contextmanager
def write_lock(world):
    with closing(sqlite3.connect(world.hub.data_dir / "hub.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def post(world, path, body):
    """Status, Retry-After and body of an answer, and how long it took in seconds."""
    host, _, port = world.hub.addresses["http"].rpartition(":")
    context = ssl.create_default_context(cafile=str(world.hub.data_dir / "ca.pem"))
    begun = time.monotonic()
    with closing(http.client.HTTPSConnection(host, int(port), context=context, timeout=60)) as connection:
        headers = {
            "Authorization": f"Bearer {world.hub.credentials['api_token']}",
            "Content-Type": "application/json",
        }
        connection.request("POST", f"/api/v1{path}", json.dumps(body), headers)
        answer = connection.getresponse()
        content = json.loads(answer.read())
    return answer.status, answer.headers.get("Retry-After"), content, time.monotonic() - begun


def request_body(world, name):
    profile = world.profile()
    return {
        "method": "csr",
        "organization_id": world.organization_id(),
        "profile_id": profile["id"],
        "term_days": min(profile["terms_days"]),
        "csr": pem(csr(name)),
    }


def test_requests_wait_for_a_short_lock_and_succeed(impatient):
    body = request_body(impatient, "waits.test")
    with ThreadPoolExecutor(1) as clients:
        with write_lock(impatient):
            waiting = clients.submit(post, impatient, "/certificates", body)
            # Reading goes on meanwhile, and nothing is stored yet.
            begun = time.monotonic()
            while time.monotonic() - begun < PATIENCE_S / 2:
                assert impatient.api.get("/certificates", filter="common_name:eq:waits.test")["items"] == []
            assert not waiting.done()
        status, _, answer, _ = waiting.result(30)

    assert status == 201
    assert impatient.certificate(answer["id"])["status"] == "Requested"


def test_requests_during_a_long_lock_are_told_to_come_again_in_time_and_leave_nothing(impatient):
    bodies = [request_body(impatient, f"late{number}.test") for number in range(4)]
    organizations = [{"name": f"Late {number}"} for number in range(4)]
    paths = ["/certificates"] * 4 + ["/organizations"] * 4
    with ThreadPoolExecutor(8) as clients, write_lock(impatient):
        waiting = [
            clients.submit(post, impatient, path, body)
            for path, body in zip(paths, bodies + organizations, strict=True)
        ]
        answers = [each.result(60) for each in waiting]

    for status, retry_after, problem, seconds in answers:
        assert status == 503
        assert int(retry_after) > 0
        assert problem["code"] == "unavailable"
        # However many wait, nobody waits for the others' time as well.
        assert seconds < 2 * PATIENCE_S + 1
    names = {row["common_name"] for row in impatient.api.get("/certificates", limit=200)["items"]}
    assert not {name for name in names if name.startswith("late")}
    found = {row["name"] for row in impatient.api.get("/organizations")["items"]}
    assert not {name for name in found if name.startswith("Late")}
    # Once the lock is gone, the same request is taken.
    status, *_ = post(impatient, "/certificates", bodies[0])
    assert status == 201
