"""Handshakes with peers that misbehave, and the wait for the right certificate."""

from __future__ import annotations

import asyncio
import contextlib
import ssl

import pytest

from agents.network.verify import (
    Endpoint,
    Expectation,
    HandshakeError,
    HandshakeTimedOutError,
    PortClosedError,
    await_served,
    mismatches,
    served_certificate,
)
from tests.real_servers.certificates import Authority
from tests.real_servers.site import Site, free_ports

AUTHORITY = Authority()


@pytest.fixture
def files(tmp_path):
    """Write a certificate and its key, and say where."""

    def write(leaf):
        site = Site(("a.test",), tmp_path / "pem", tmp_path / "key")
        leaf.write(site)
        return site.certificate, site.key

    return write


@pytest.fixture
def context(files):
    def make(leaf):
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(*files(leaf))
        return made

    return make


@contextlib.asynccontextmanager
async def listening(handler, **options):
    """A peer on a loopback port; it ends when all its conversations have."""
    conversations = set()

    async def converse(reader, writer):
        conversations.add(asyncio.current_task())
        with contextlib.suppress(OSError):
            await handler(reader, writer)
            await reader.read()
        writer.transport.abort()
        await asyncio.sleep(0)

    server = await asyncio.start_server(converse, "127.0.0.1", 0, **options)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.gather(*conversations)


async def ignore(reader, writer):
    """Say nothing and wait for the other end."""


async def test_a_complete_handshake_shows_leaf_and_chain(context):
    leaf = AUTHORITY.leaf("a.test")
    async with listening(ignore, ssl=context(leaf)) as port:
        served = await served_certificate("127.0.0.1", port, "a.test")

    assert served.fingerprint == leaf.fingerprint
    assert served.chain[0] == leaf.fingerprint
    assert len(served.chain) == 2
    assert served.tls_version == "TLSv1.3"


async def test_the_name_is_sent_and_an_empty_one_is_not(context):
    asked = []
    made = context(AUTHORITY.leaf("a.test"))
    made.sni_callback = lambda connection, name, context: asked.append(name)
    async with listening(ignore, ssl=made) as port:
        await served_certificate("127.0.0.1", port, "a.test")
        await served_certificate("127.0.0.1", port, "")

    assert asked == ["a.test", None]


async def test_a_closed_port():
    with pytest.raises(PortClosedError):
        await served_certificate("127.0.0.1", free_ports(1)[0], "a.test")


async def test_a_peer_that_never_answers():
    async with listening(ignore) as port:
        with pytest.raises(HandshakeTimedOutError):
            await served_certificate("127.0.0.1", port, "a.test", 0.2)


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", bytes(50)])
async def test_a_peer_that_closes_or_sends_something_else(answer):
    async def reply(reader, writer):
        await reader.read(1)
        writer.write(answer)
        writer.write_eof()

    async with listening(reply) as port:
        with pytest.raises(HandshakeError) as caught:
            await served_certificate("127.0.0.1", port, "a.test", 5)

    assert caught.value.code == "HandshakeFailed"


async def test_another_certificate_and_another_chain_are_told_apart(context):
    leaf = AUTHORITY.leaf("a.test")
    async with listening(ignore, ssl=context(leaf)) as port:
        endpoint = Endpoint("127.0.0.1", port, "a.test")
        right = await mismatches([endpoint], Expectation(leaf.fingerprint, (leaf.fingerprint,)))
        (chain,) = await mismatches([endpoint], Expectation(leaf.fingerprint, (leaf.fingerprint, "0" * 64)))
        (other,) = await mismatches([endpoint], Expectation("0" * 64))

    assert right == ()
    assert (chain.reason, other.reason) == ("ChainDiffers", "OtherCertificateServed")


async def test_the_wait_ends_when_every_endpoint_serves_it(context, files):
    leaf = AUTHORITY.leaf("a.test")
    made = context(AUTHORITY.leaf("a.test"))
    async with listening(ignore, ssl=made) as port:
        wait = asyncio.create_task(
            await_served([Endpoint("127.0.0.1", port)], Expectation(leaf.fingerprint), deadline_s=10)
        )
        await asyncio.sleep(0.2)
        assert not wait.done()
        made.load_cert_chain(*files(leaf))
        assert await wait == ()


async def test_the_wait_ends_at_its_deadline_with_what_was_wrong(context):
    async with listening(ignore, ssl=context(AUTHORITY.leaf("a.test"))) as port:
        (wrong,) = await await_served([Endpoint("127.0.0.1", port)], Expectation("0" * 64), deadline_s=0.2)

    assert wrong.reason == "OtherCertificateServed"


async def test_the_wait_ends_early_when_the_server_is_gone():
    loop = asyncio.get_running_loop()
    start = loop.time()

    (wrong,) = await await_served(
        [Endpoint("127.0.0.1", free_ports(1)[0])], Expectation("0" * 64), deadline_s=30
    )

    assert wrong.reason == "PortClosed"
    assert loop.time() - start < 5
