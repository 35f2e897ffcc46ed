"""Requests that must not become certificates, and bodies that must not become memory."""

import http.client
import ssl
import threading
import time

import psutil
import pytest

from tests.acceptance.signing_requests import csr, pem, with_bad_signature, with_weak_key, with_wildcards
from tests.harness.api import ApiProblem

HUNDRED_MB = 100 * 1024 * 1024
CHUNK = bytes(64 * 1024)


@pytest.mark.parametrize(
    ("make", "field", "reason"),
    [
        (with_bad_signature, "csr", "BadCsrSignature"),
        (with_weak_key, "csr", "RsaKeyTooSmall"),
        (with_wildcards, "subject_alternative_names", "WildcardNotAllowed"),
    ],
)
def test_a_bad_signing_request_is_refused_with_its_field_and_reason(hub_only, make, field, reason):
    before = len(hub_only.api.get("/certificates")["items"])

    with pytest.raises(ApiProblem) as refused:
        hub_only.request("", method="csr", csr=make(), key_type=None, pks_agent_id=None)

    assert 400 <= refused.value.status < 500
    found = {(error["field"], error.get("code")) for error in refused.value.problem["errors"]}
    assert (field, reason) in found
    assert len(hub_only.api.get("/certificates")["items"]) == before


def test_a_name_that_is_not_delegated_is_refused(hub_only):
    api = hub_only.api
    organization = api.post("/organizations", {"name": "Narrow"})
    api.post("/domains", {"organization_id": organization["id"], "name": "narrow.example"})
    ask = {"method": "csr", "organization_id": organization["id"], "key_type": None, "pks_agent_id": None}

    with pytest.raises(ApiProblem) as refused:
        hub_only.request("", csr=pem(csr("www.other.example")), **ask)

    assert refused.value.status == 422
    errors = refused.value.problem["errors"]
    assert [error["field"] for error in errors] == ["subject_alternative_names"]
    assert errors[0]["code"] == "NameDelegatedElsewhere"
    assert "www.other.example" in errors[0]["message"]


# ---- large bodies


@pytest.fixture
def connection(hub_only):
    host, _, port = hub_only.hub.addresses["http"].rpartition(":")
    context = ssl.create_default_context(cafile=str(hub_only.hub.data_dir / "ca.pem"))
    connection = http.client.HTTPSConnection(host, int(port), context=context, timeout=30)
    yield connection
    connection.close()


def post_large(connection, world, *, chunked):
    connection.putrequest("POST", "/api/v1/certificates")
    connection.putheader("Authorization", f"Bearer {world.hub.credentials['api_token']}")
    connection.putheader("Content-Type", "application/json")
    if chunked:
        connection.putheader("Transfer-Encoding", "chunked")
    else:
        connection.putheader("Content-Length", str(HUNDRED_MB))
    connection.endheaders()
    sent = 0
    try:
        while sent < HUNDRED_MB:
            part = b"%x\r\n%s\r\n" % (len(CHUNK), CHUNK) if chunked else CHUNK
            connection.send(part)
            sent += len(CHUNK)
    except OSError:
        # The hub answers early and hangs up on who does not listen.
        pass
    return connection.getresponse()


class MemoryWatch:
    """The most memory that a process had during a ``with`` block, beyond what it had at its start."""

    def __init__(self, pid):
        self._process = psutil.Process(pid)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.grown_bytes = 0

    def __enter__(self):
        self._start = self._process.memory_info().rss
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _watch(self):
        while not self._stop.wait(0.005):
            self.grown_bytes = max(self.grown_bytes, self._process.memory_info().rss - self._start)


@pytest.mark.parametrize("chunked", [False, True], ids=["announced", "chunked"])
def test_a_body_of_a_hundred_megabytes_costs_neither_time_nor_memory(hub_only, connection, chunked):
    begun = time.monotonic()

    with MemoryWatch(hub_only.hub.pid) as memory:
        response = post_large(connection, hub_only, chunked=chunked)

    assert response.status == 413
    assert b'"body_too_large"' in response.read()
    assert time.monotonic() - begun < 10
    assert memory.grown_bytes < 16 * 1024 * 1024
    assert hub_only.api.get("/certificates") is not None
