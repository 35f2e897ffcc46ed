"""An agent that answers challenges: within its policy, for a time, and never a path of anybody's choice."""

import asyncio
import contextlib
import hashlib
import json
import socket
import ssl

import pytest
from cryptography import x509

from agents.network.challenges.acme_certificate import challenge_certificate, server_name
from agents.network.challenges.answers import Answer, now_s
from agents.network.challenges.responder import ChallengeResponder, ServeChallengeHandler
from agents.runtime.commands import ServeChallenge
from agents.runtime.errors import CommandFailed, PolicyMalformed
from agents.runtime.policy import parse_policy

AUTHORIZATION = "token-1." + "p" * 43


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answer(**changes) -> Answer:
    values = {
        "key": "k1",
        "method": "http-01",
        "identifier": "www.example.com",
        "token": "token-1",
        "key_authorization": AUTHORIZATION,
        "expires": now_s() + 600,
    }
    return Answer(**(values | changes))


@pytest.fixture
async def responders(tmp_path):
    made = []

    def make(text):
        policy = parse_policy(f"commands = []\n[challenges]\n{text}\n")
        made.append(ChallengeResponder(tmp_path, lambda: policy))
        return made[-1]

    yield make
    for responder in made:
        await responder.close()


async def get(port, path, method="GET"):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{method} {path} HTTP/1.1\r\nHost: www.example.com\r\n\r\n".encode())
    text = (await reader.read()).decode()
    writer.close()
    return text.split(" ")[1], text.partition("\r\n\r\n")[2]


async def is_closed(port) -> bool:
    with contextlib.suppress(OSError):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        return False
    return True


async def test_http_is_answered_for_the_token_alone(responders):
    port = free_port()
    responder = responders(f'http_listen = "127.0.0.1:{port}"')
    assert await responder.serve(answer()) == f"127.0.0.1:{port}"
    assert await responder.serve(answer()) == f"127.0.0.1:{port}"
    path = "/.well-known/acme-challenge/"
    assert await get(port, path + "token-1") == ("200", AUTHORIZATION)
    for other in (path + "token-2", path, "/", "/token-1", path + "../token-1"):
        assert await get(port, other) == ("404", "")
    assert (await get(port, path + "token-1", method="POST"))[0] == "404"
    await responder.withdraw("k1")
    await responder.withdraw("k1")
    assert await is_closed(port)


async def test_who_says_nothing_is_not_waited_for_by_others(responders):
    port = free_port()
    responder = responders(f'http_listen = "127.0.0.1:{port}"')
    await responder.serve(answer())
    _, silent = await asyncio.open_connection("127.0.0.1", port)
    assert (await get(port, "/.well-known/acme-challenge/token-1"))[0] == "200"
    silent.close()


async def test_the_listener_stays_while_somebody_needs_it(responders):
    port = free_port()
    responder = responders(f'http_listen = "127.0.0.1:{port}"')
    await responder.serve(answer())
    await responder.serve(answer(key="k2", token="token-2", key_authorization="token-2." + "p" * 43))
    await responder.withdraw("k1")
    assert (await get(port, "/.well-known/acme-challenge/token-2"))[0] == "200"
    assert (await get(port, "/.well-known/acme-challenge/token-1"))[0] == "404"


async def test_an_answer_ends_by_itself(responders):
    port = free_port()
    responder = responders(f'http_listen = "127.0.0.1:{port}"')
    await responder.serve(answer(expires=now_s() + 0.2))
    end = asyncio.get_running_loop().time() + 5
    while not await is_closed(port):
        assert asyncio.get_running_loop().time() < end
        await asyncio.sleep(0.02)


async def test_a_web_server_s_folder_gets_a_file_for_a_while(responders, tmp_path):
    webroot = tmp_path / "www"
    responder = responders(f'http_webroot = "{webroot}"')
    file = webroot / ".well-known/acme-challenge/token-1"
    assert await responder.serve(answer()) == str(file)
    assert file.read_text() == AUTHORIZATION
    await responder.withdraw("k1")
    assert not file.exists()


async def test_after_a_restart_it_goes_on(responders):
    port = free_port()
    first = responders(f'http_listen = "127.0.0.1:{port}"')
    await first.serve(answer())
    await first.close()
    assert await is_closed(port)
    second = responders(f'http_listen = "127.0.0.1:{port}"')
    await second.resume()
    assert (await get(port, "/.well-known/acme-challenge/token-1"))[0] == "200"


async def test_after_a_restart_the_policy_counts_anew(responders):
    port = free_port()
    first = responders(f'http_listen = "127.0.0.1:{port}"')
    await first.serve(answer())
    await first.close()
    second = responders(f'domains = ["other.example"]\nhttp_listen = "127.0.0.1:{port}"')
    await second.resume()
    assert await is_closed(port)


async def test_a_file_that_is_damaged_stops_nothing(responders, tmp_path):
    (tmp_path / "challenges.json").write_text(json.dumps([{"key": 1}]))
    await responders("").resume()


@pytest.mark.parametrize(
    "changes",
    [
        {"token": "../../etc/passwd", "key_authorization": "../../etc/passwd." + "p" * 43},
        {"token": "", "key_authorization": ".p"},
        {"token": "a/b", "key_authorization": "a/b.p"},
        {"key_authorization": "another." + "p" * 43},
        {"key_authorization": "token-1.p\r\nX: y"},
        {"identifier": "www.example.com/x"},
        {"key": ""},
    ],
)
async def test_what_is_no_challenge_is_refused(responders, tmp_path, changes):
    responder = responders(f'http_webroot = "{tmp_path / "www"}"')
    with pytest.raises(CommandFailed) as caught:
        await responder.serve(answer(**changes))
    assert caught.value.code == "ChallengeMalformed"
    assert not (tmp_path / "www").exists()


@pytest.mark.parametrize(
    ("policy", "changes"),
    [
        ("", {}),
        ('tls_listen = "127.0.0.1:0"', {}),
        ('http_listen = "127.0.0.1:0"', {"method": "tls-alpn-01"}),
        ('domains = ["*.example.org"]\nhttp_listen = "127.0.0.1:0"', {}),
    ],
)
async def test_the_policy_decides(responders, policy, changes):
    with pytest.raises(CommandFailed) as caught:
        await responders(policy).serve(answer(**changes))
    assert caught.value.code == "PolicyRefused"


async def test_a_port_that_is_taken_is_told(responders):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        responder = responders(f'http_listen = "127.0.0.1:{other.getsockname()[1]}"')
        with pytest.raises(CommandFailed, match="http_webroot") as caught:
            await responder.serve(answer())
    assert caught.value.code == "PortNotAvailable"


async def test_an_unknown_method(responders):
    with pytest.raises(CommandFailed) as caught:
        await responders('http_listen = "127.0.0.1:0"').serve(answer(method="dns-01"))
    assert caught.value.code == "MethodUnknown"


async def test_the_policy_s_lifetime_is_the_longest(responders):
    port = free_port()
    responder = responders(f'http_listen = "127.0.0.1:{port}"\nmax_lifetime_s = 60')
    body = ServeChallenge(
        key="k1",
        method="http-01",
        identifier="www.example.com",
        token="token-1",
        key_authorization=AUTHORIZATION,
        lifetime_s=86_400,
    )
    done = await ServeChallengeHandler(responder).run(body, None)
    assert done.where == f"127.0.0.1:{port}"
    assert responder._answers["k1"].expires <= now_s() + 60


@pytest.mark.parametrize(
    "text",
    [
        'http_listen = "80"',
        'http_listen = "www.example.com:80"',
        'tls_listen = "0.0.0.0:99999"',
        'http_webroot = "www"',
        'http_webroot = "/srv/../etc"',
        "max_lifetime_s = 0",
        "unknown = 1",
    ],
)
def test_policies_that_are_none(text):
    with pytest.raises(PolicyMalformed):
        parse_policy(f"commands = []\n[challenges]\n{text}\n")


# ---- tls-alpn-01


def presented(port, name, protocols=("acme-tls/1",)):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(list(protocols))
    with (
        socket.create_connection(("127.0.0.1", port), timeout=5) as raw,
        context.wrap_socket(raw, server_hostname=name) as wrapped,
    ):
        return x509.load_der_x509_certificate(wrapped.getpeercert(binary_form=True)), (
            wrapped.selected_alpn_protocol()
        )


async def test_tls_shows_the_certificate_of_rfc_8737(responders):
    port = free_port()
    responder = responders(f'tls_listen = "127.0.0.1:{port}"')
    await responder.serve(answer(method="tls-alpn-01"))
    other = "token-2." + "q" * 43
    await responder.serve(
        answer(
            key="k2",
            method="tls-alpn-01",
            identifier="api.example.com",
            token="token-2",
            key_authorization=other,
        )
    )
    for name, authorization in (("www.example.com", AUTHORIZATION), ("api.example.com", other)):
        certificate, protocol = await asyncio.to_thread(presented, port, name)
        assert protocol == "acme-tls/1"
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.DNSName) == [name]
        extension = certificate.extensions.get_extension_for_oid(x509.ObjectIdentifier("1.3.6.1.5.5.7.1.31"))
        assert extension.critical
        digest = hashlib.sha256(authorization.encode()).digest()
        assert extension.value.value == b"\x04\x20" + digest
    with pytest.raises((ssl.SSLError, OSError)):
        await asyncio.to_thread(presented, port, "unknown.example.com")
    await responder.withdraw("k1")
    await responder.withdraw("k2")
    assert await is_closed(port)


def test_addresses_are_asked_for_by_their_reverse_names():
    assert server_name("192.0.2.1") == "1.2.0.192.in-addr.arpa"
    assert server_name("WWW.example.com") == "www.example.com"
    pem = challenge_certificate("192.0.2.1", AUTHORIZATION)
    certificate = x509.load_pem_x509_certificate(pem[pem.index(b"-----BEGIN CERT") :])
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(item) for item in names.get_values_for_type(x509.IPAddress)] == ["192.0.2.1"]
