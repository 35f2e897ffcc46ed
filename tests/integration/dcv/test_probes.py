"""Looking for real at a DNS server and web servers on loopback: from the hub and from an agent alike."""

import asyncio
import os
import ssl
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.serialization import Encoding

from agents.network.check_domain_control import CheckDomainControlHandler
from agents.runtime.commands import CheckDomainControl
from agents.runtime.policy import DomainControlPolicy, Policy
from hub.organizations.dcv.contract import CnameLookup, FileLookup, Probes, TxtLookup, look
from hub.organizations.dcv.probes import DnsResolver, SafeFetcher
from tests.integration.dcv.conftest import LOOPBACK, clock_now
from tests.real_servers.certificates import self_signed


@dataclass
class Seen:
    values: tuple[str, ...]
    reason: str
    message: str
    trail: tuple[str, ...]
    authenticated: bool


@dataclass
class Looker:
    """One of the two implementations; ``networks`` and ``ports`` are allowed beside the public internet."""

    kind: str
    dns_port: int
    probing: object
    networks: bool = True
    ports: frozenset[int] = field(default_factory=frozenset)

    async def look(self, lookup) -> Seen:
        return await (self._hub(lookup) if self.kind == "hub" else self._agent(lookup))

    async def _hub(self, lookup) -> Seen:
        settings = self.probing(allowed_networks=LOOPBACK if self.networks else (), allowed_ports=self.ports)
        resolver = DnsResolver(settings, clock_now)
        sight = await look(lookup, Probes(resolver, SafeFetcher(settings, resolver, clock_now)))
        fault = sight.fault
        return Seen(
            sight.values,
            fault.reason if fault else "",
            fault.message if fault else "",
            sight.trail,
            sight.authenticated,
        )

    async def _agent(self, lookup) -> Seen:
        policy = Policy(
            commands=("CheckDomainControl",),
            domain_control=DomainControlPolicy(
                allow=("127.0.0.0/8",) if self.networks else (),
                ports=tuple(self.ports),
                nameservers=(f"127.0.0.1#{self.dns_port}",),
            ),
        )
        match lookup:
            case TxtLookup(name):
                body = CheckDomainControl(domain=name, method="txt", name=name, timeout_ms=3000)
            case CnameLookup(name):
                body = CheckDomainControl(domain=name, method="cname", name=name, timeout_ms=3000)
            case FileLookup(urls):
                body = CheckDomainControl(domain="", method="file", urls=urls, timeout_ms=3000)
        seen = await CheckDomainControlHandler(lambda: policy).run(body, None)
        return Seen(seen.values, seen.reason, seen.message, seen.trail, seen.authenticated)


@pytest.fixture(params=["hub", "agent"])
def looker(request, dns, probing):
    return Looker(request.param, dns.port, probing)


@pytest.fixture
def fetching(looker, dns, site):
    """Return how to fetch a path of the site, by the name www.example.com."""
    dns.zone.set("www.example.com", "A", "127.0.0.1")
    looker.ports = frozenset({site.port})

    async def fetch(path="/file", **page):
        site.pages.update(page)
        return await looker.look(FileLookup((f"http://www.example.com:{site.port}{path}",)))

    return fetch


# ---- DNS


async def test_txt_strings_are_joined_and_all_values_seen(looker, dns):
    dns.zone.set("_c.example.com", "TXT", "v" * 300, "second")
    seen = await looker.look(TxtLookup("_c.example.com"))
    assert set(seen.values) == {"v" * 300, "second"}
    assert any(f"127.0.0.1:{dns.port}" in step or "127.0.0.1" in step for step in seen.trail)


async def test_a_name_that_does_not_exist_one_without_txt_and_a_failing_server(looker, dns):
    dns.zone.set("_c.example.com", "A", "127.0.0.1")
    dns.zone.broken.add("_bad.example.com")
    assert (await looker.look(TxtLookup("_none.example.com"))).reason == "NameNotFound"
    without = await looker.look(TxtLookup("_c.example.com"))
    assert (without.values, without.reason) == ((), "")
    failing = await looker.look(TxtLookup("_bad.example.com"))
    assert failing.reason == "LookupFailed"
    assert "SERVFAIL" in failing.message


async def test_a_silent_server_is_not_waited_for_long(looker, dns):
    dns.zone.silent.add("_slow.example.com")
    async with asyncio.timeout(4):
        assert (await looker.look(TxtLookup("_slow.example.com"))).reason == "LookupTimedOut"


async def test_txt_behind_a_chain_of_cnames(looker, dns):
    dns.zone.set("_c.example.com", "CNAME", "one.example.net")
    dns.zone.set("one.example.net", "CNAME", "two.example.org")
    dns.zone.set("two.example.org", "TXT", "value")
    assert (await looker.look(TxtLookup("_c.example.com"))).values == ("value",)


async def test_a_cname_chain_is_shown_whole_and_its_end_need_not_exist(looker, dns):
    dns.zone.set("_c.example.com", "CNAME", "One.example.net")
    dns.zone.set("one.example.net", "CNAME", "nowhere.invalid")
    seen = await looker.look(CnameLookup("_c.example.com"))
    assert seen.values == ("one.example.net", "nowhere.invalid")
    assert (await looker.look(CnameLookup("_none.example.com"))).reason == "NameNotFound"


async def test_cnames_in_a_circle_end(looker, dns):
    dns.zone.set("a.example.com", "CNAME", "b.example.com")
    dns.zone.set("b.example.com", "CNAME", "a.example.com")
    async with asyncio.timeout(5):
        assert len((await looker.look(CnameLookup("a.example.com"))).values) <= 8
        assert (await looker.look(TxtLookup("a.example.com"))).values == ()


async def test_the_resolvers_word_on_dnssec_is_kept(looker, dns):
    dns.zone.set("_c.example.com", "TXT", "value")
    assert not (await looker.look(TxtLookup("_c.example.com"))).authenticated
    dns.zone.authenticated = True
    assert (await looker.look(TxtLookup("_c.example.com"))).authenticated


async def test_answers_that_are_too_large_for_udp_come_by_tcp(looker, dns):
    dns.zone.set("_c.example.com", "TXT", *[f"{number:03}-" + "x" * 200 for number in range(60)])
    assert len((await looker.look(TxtLookup("_c.example.com"))).values) >= 50


# ---- files


async def test_a_file_is_fetched_with_the_domains_name_as_host(fetching, site):
    site.pages["/file"] = "content\n"
    seen = await fetching()
    assert seen.values == ("content\n",)
    assert site.hosts == [f"www.example.com:{site.port}"]
    assert any("127.0.0.1" in step for step in seen.trail)


async def test_statuses_other_than_success_are_told(fetching):
    seen = await fetching("/missing")
    assert seen.reason == "HttpStatus"
    assert "404" in seen.message


async def test_redirects_are_followed_and_counted(fetching, site):
    async def hop(request):
        number = int(request.path.removeprefix("/hop/"))
        raise web.HTTPFound(f"/hop/{number - 1}" if number > 1 else "/file")

    site.pages |= {"/file": "content"} | {f"/hop/{number}": hop for number in range(1, 9)}
    assert (await fetching("/hop/5")).values == ("content",)
    assert (await fetching("/hop/6")).reason == "TooManyRedirects"


async def test_only_redirects_of_the_baseline_requirements_count(fetching, site):
    async def see_other(_request):
        raise web.HTTPSeeOther("/file")

    site.pages |= {"/file": "content", "/other": see_other}
    assert (await fetching("/other")).reason == "HttpStatus"


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://10.1.2.3/", "AddressRefused"),
        ("http://169.254.169.254/latest/meta-data/", "AddressRefused"),
        ("http://[::1]/", "AddressRefused"),
        ("http://[::ffff:10.0.0.1]/", "AddressRefused"),
        ("http://inside.example.com/", "AddressRefused"),
        ("http://www.example.com:22/", "PortRefused"),
        ("ftp://www.example.com/", "RedirectRefused"),
        ("file:///etc/passwd", "RedirectRefused"),
        ("http://user:word@www.example.com/", "RedirectRefused"),
        ("gopher://127.0.0.1:25/", "RedirectRefused"),
    ],
)
async def test_redirects_to_other_places_are_refused(fetching, site, dns, location, reason):
    async def away(_request):
        return web.Response(status=302, headers={"Location": location})

    dns.zone.set("inside.example.com", "A", "10.1.2.3")
    site.pages["/away"] = away
    seen = await fetching("/away")
    assert (seen.values, seen.reason) == ((), reason)


async def test_private_addresses_are_refused_unless_an_administrator_allowed_them(fetching, looker, site):
    site.pages["/file"] = "content"
    looker.networks = False
    seen = await fetching()
    assert seen.reason == "AddressRefused"
    assert "127.0.0.1" in seen.message
    assert site.seen == []


async def test_one_private_address_among_public_ones_refuses_all(fetching, looker, dns, site):
    dns.zone.set("www.example.com", "A", "93.184.216.34", "127.0.0.1")
    looker.networks = False
    assert (await fetching()).reason == "AddressRefused"
    assert site.seen == []


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "0x7f000001", "2130706433", "127.1", "0177.0.0.1"])
async def test_addresses_in_every_spelling_are_refused(looker, site, host):
    looker.networks, looker.ports = False, frozenset({site.port})
    seen = await looker.look(FileLookup((f"http://{host}:{site.port}/file",)))
    assert seen.values == ()
    assert seen.reason in {"AddressRefused", "NameNotFound", "LookupFailed"}
    assert site.seen == []


async def test_a_name_that_answers_differently_the_second_time_is_asked_once(fetching, dns, site):
    """DNS rebinding: a second lookup would lead to where nothing listens."""
    dns.zone.answers["www.example.com", "A"] = [["127.0.0.1"], ["127.0.0.66"], ["127.0.0.66"]]
    site.pages["/file"] = "content"
    assert (await fetching()).values == ("content",)
    assert dns.zone.asked["www.example.com", "A"] == 1


async def test_ports_are_refused_unless_allowed(fetching, looker, site):
    looker.ports = frozenset()
    assert (await fetching()).reason == "PortRefused"
    assert site.seen == []


async def test_large_files_are_given_up(fetching, site):
    async def endless(request):
        response = web.StreamResponse()
        await response.prepare(request)
        with pytest.raises((ConnectionError, asyncio.CancelledError)):  # noqa: PT012 - until the caller is gone
            while True:
                await response.write(b"x" * 65536)
        return response

    site.pages |= {"/large": "x" * 8193, "/fits": "x" * 8192, "/endless": endless}
    assert (await fetching("/large")).reason == "BodyTooLarge"
    assert (await fetching("/endless")).reason == "BodyTooLarge"
    assert (await fetching("/fits")).values == ("x" * 8192,)


async def test_a_compressed_body_is_not_unpacked(fetching, site):
    async def bomb(_request):
        import gzip

        return web.Response(body=gzip.compress(b"x" * 50_000_000), headers={"Content-Encoding": "gzip"})

    site.pages["/bomb"] = bomb
    seen = await fetching("/bomb")
    assert seen.reason == "BodyTooLarge"


async def test_slow_answers_end_in_time(fetching, site):
    gone = asyncio.Event()

    async def drip(request):
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"x")
                await asyncio.sleep(0.2)
        finally:
            gone.set()

    site.pages["/drip"] = drip
    async with asyncio.timeout(5):
        assert (await fetching("/drip")).reason == "FetchTimedOut"
        await gone.wait()


async def test_the_environment_does_not_count(fetching, site, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setitem(os.environ, name, "http://127.0.0.1:1")
    site.pages["/file"] = "content"
    assert (await fetching()).values == ("content",)


async def test_nobody_listening(looker, dns):
    dns.zone.set("www.example.com", "A", "127.0.0.1")
    looker.ports = frozenset({1})
    assert (await looker.look(FileLookup(("http://www.example.com:1/",)))).reason == "ConnectFailed"


async def test_https_with_a_certificate_that_nobody_trusts(looker, dns, tmp_path):
    leaf = self_signed("other.example")
    chain, key = tmp_path / "c.pem", tmp_path / "k.pem"
    chain.write_bytes(leaf.certificate.public_bytes(Encoding.PEM))
    key.write_bytes(leaf.key_pem())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)

    async def answer(_request):
        return web.Response(text="by https")

    app = web.Application()
    app.router.add_get("/file", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    port = runner.addresses[0][1]
    dns.zone.set("www.example.com", "A", "127.0.0.1")
    looker.ports = frozenset({port})
    seen = await looker.look(
        FileLookup((f"http://missing.example.com:{port}/file", f"https://www.example.com:{port}/file"))
    )
    await runner.cleanup()
    assert (seen.values, seen.reason) == (("by https",), "")


async def test_a_server_that_speaks_no_http(looker, dns):
    async def rude(_reader, writer):
        writer.write(b"220 mail.example.com ESMTP\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(rude, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    dns.zone.set("www.example.com", "A", "127.0.0.1")
    looker.ports = frozenset({port})
    seen = await looker.look(FileLookup((f"http://www.example.com:{port}/file",)))
    server.close()
    assert (seen.values, seen.reason) == ((), "ConnectFailed")
