"""Settings of an ACME backend, which writer and agent go with a name, and choosing among challenges."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from hub.issuers.acme.challenges import choose, failure_key, record_name
from hub.issuers.acme.objects import Authorization, Challenge, Identifier, read_problem
from hub.issuers.acme.ordering import FreshOrders
from hub.issuers.acme.presets import DIRECTORIES
from hub.issuers.acme.settings import AcmeSettings
from hub.issuers.acme.transport import Reply

AGENT = "11111111-2222-3333-4444-555555555555"
OTHER = "66666666-7777-8888-9999-000000000000"


def settings(**values) -> AcmeSettings:
    return AcmeSettings(**({"directory": "letsencrypt"} | values))


@pytest.mark.parametrize(
    "values",
    [
        {"directory": "custom"},
        {"directory": "unheard-of"},
        {"directory": "custom", "directory_url": "http://ca.example/dir"},
        {"eab_key_id": "kid"},
        {"eab_hmac_key": "c2VjcmV0"},
        {"eab_key_id": "kid", "eab_hmac_key": "not base64!"},
        {"challenges": ["dns-01", "dns-01"]},
        {"challenges": ["dns-02"]},
        {"contacts": ["nobody"]},
        {"dns_writers": ["example.com"]},
        {"dns_writers": ["example.com=0"]},
        {"agents": ["example.com=agent"]},
        {"ca_bundle": "no certificates"},
        {"proxy": "socks5://proxy.example"},
        {"unknown": 1},
    ],
)
def test_what_can_not_work_is_refused(values):
    with pytest.raises(ValidationError) as caught:
        settings(**values)
    assert "not base64!" not in str(caught.value.errors(include_input=False))


def test_well_known_directories():
    for name, url in DIRECTORIES.items():
        assert settings(directory=name).address == url
        assert url.startswith("https://")


def test_the_longest_zone_decides():
    found = settings(
        dns_writer_id=1,
        dns_writers=["example.com=2", "shop.example.com=3"],
        agent_id=AGENT,
        agents=[f"example.org={OTHER}"],
    )
    assert [found.writer_for(name) for name in ("example.net", "www.example.com", "a.shop.example.com")] == [
        1,
        2,
        3,
    ]
    assert found.writer_for("notexample.com") == 1
    assert (found.agent_for("www.example.org"), found.agent_for("www.example.com")) == (OTHER, AGENT)


def test_where_the_record_stands():
    assert record_name("www.example.com", "") == "_acme-challenge.www.example.com"
    assert record_name("www.example.com", "dcv.example.net") == "www.example.com.dcv.example.net"


def authorization(*types, wildcard=False, kind="dns") -> Authorization:
    challenges = tuple(
        Challenge(type=name, url=f"https://ca.example/{name}", status="pending", token="t", error=None)
        for name in types
    )
    identifier = Identifier(type=kind, value="192.0.2.1" if kind == "ip" else "example.com")
    return Authorization(identifier=identifier, status="pending", challenges=challenges, wildcard=wildcard)


ALL = ("http-01", "dns-01", "tls-alpn-01")


@pytest.mark.parametrize(
    ("found", "methods", "failures", "chosen"),
    [
        (authorization(*ALL), ALL, {}, "http-01"),
        (authorization(*ALL), ("tls-alpn-01", "dns-01"), {}, "tls-alpn-01"),
        (authorization("dns-01"), ALL, {}, "dns-01"),
        (authorization(*ALL, wildcard=True), ALL, {}, "dns-01"),
        (authorization(*ALL, kind="ip"), ("dns-01", "tls-alpn-01"), {}, "tls-alpn-01"),
        (authorization(*ALL, kind="ip"), ("dns-01",), {}, None),
        (authorization(*ALL), ALL, {"example.com http-01": 1}, "http-01"),
        (authorization(*ALL), ALL, {"example.com http-01": 2}, "dns-01"),
        (authorization(*ALL), ("http-01",), {"example.com http-01": 2}, None),
        (authorization(*ALL, wildcard=True), ALL, {"example.com dns-01": 2}, "dns-01"),
        (authorization("unheard-of-01"), ALL, {}, None),
        (authorization(*ALL), (), {}, None),
    ],
)
def test_choosing(found, methods, failures, chosen):
    challenge = choose(found, methods, failures=failures, attempts=2)
    assert (challenge.type if challenge else None) == chosen


def test_a_wildcard_s_failures_are_its_own():
    names = {failure_key(authorization("dns-01", wildcard=flag), "dns-01") for flag in (False, True)}
    assert len(names) == 2


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("Wed, 25 Nov 2026 12:01:00 GMT", 61),
        ("Wed, 25 Nov 2026 11:00:00 GMT", 0),
        ("99999999999", 7 * 86_400),
        ("-5", 7),
        ("soon", 7),
        ("", 7),
    ],
)
def test_retry_after(text, seconds):
    reply = Reply(status=429, headers={"retry-after": text}, body=b"")
    assert reply.retry_after_s(now=datetime(2026, 11, 25, 12, tzinfo=UTC), default=7) == seconds


def test_problem_documents():
    value = {
        "type": "urn:ietf:params:acme:error:compound",
        "detail": "two names",
        "subproblems": [
            {"type": "urn:ietf:params:acme:error:caa", "detail": "CAA forbids a.example"},
            {"type": "urn:ietf:params:acme:error:dns", "detail": "no such name"},
        ],
    }
    problem = read_problem(value, status=403)
    assert problem.kind == "compound"
    assert problem.detail == "two names; caa: CAA forbids a.example; dns: no such name"
    assert read_problem("<html>", status=502).detail == "status 502"
    assert len(read_problem({"detail": "x" * 10_000}).detail) <= 1500


def test_an_order_is_fresh_once():
    fresh = FreshOrders()
    fresh.add("a")
    assert [fresh.take("a"), fresh.take("a"), fresh.take("b")] == [True, False, False]


def test_the_oldest_fresh_orders_are_forgotten():
    fresh = FreshOrders()
    for number in range(20_001):
        fresh.add(str(number))
    assert (fresh.take("0"), fresh.take("1"), fresh.take("20000")) == (False, True, True)
