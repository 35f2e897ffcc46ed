"""Renewal information and ``replaces``, rate limits and lost answers: at the strict simulator."""

from types import SimpleNamespace

import pytest

from hub.db.errors import Unavailable
from hub.issuers.acme.renewal_info import certificate_id
from hub.issuers.contract import Intent
from hub.issuers.errors import NotOrdered, OrderImpossible
from tests.integration.acme_upstream.conftest import drive, issued, make_order, order_and_drive, refused
from tests.simulators.acme_server import AcmeServer, Refusal
from tests.simulators.web_server import WebServer


@pytest.fixture
async def served(tmp_path):
    ca = AcmeServer()
    folder = tmp_path / "simulator"
    folder.mkdir()
    server = WebServer(ca.application(), folder)
    await server.start()
    yield SimpleNamespace(
        ca=ca, server=server, at=SimpleNamespace(url=f"{server.url}/dir", ca_bundle=server.certificate)
    )
    await server.stop()


async def issue(bench, served, **settings):
    backend = await bench.configure(served.at, **settings)
    _, outcome, _ = await order_and_drive(backend, "www.example.com")
    return backend, issued(outcome).chain


async def test_the_ca_s_window_is_told(bench, served):
    backend, chain = await issue(bench, served)
    identifier = certificate_id(chain[0])
    served.ca.windows[identifier] = ("2026-12-01T00:00:00Z", "2026-12-03T00:00:00Z")
    served.ca.retry_after = "7200"
    found = await backend.renewal_info(chain[0], chain[1])
    assert (found.start.day, found.end.day, found.retry_after_s) == (1, 3, 7200)
    assert served.ca.asked == [identifier]


async def test_a_certificate_that_the_ca_does_not_know_has_no_window(bench, served):
    backend, chain = await issue(bench, served)
    assert await backend.renewal_info(chain[0], chain[1]) is None


async def test_a_window_that_makes_no_sense_leaves_renewal_to_the_hub(bench, served):
    backend, chain = await issue(bench, served)
    served.ca.windows[certificate_id(chain[0])] = ("2026-12-03T00:00:00Z", "2026-12-01T00:00:00Z")
    with pytest.raises(Unavailable):
        await backend.renewal_info(chain[0], chain[1])


async def test_the_ca_is_not_asked_when_that_is_switched_off(bench, served):
    backend, chain = await issue(bench, served, use_renewal_info=False)
    assert await backend.renewal_info(chain[0], chain[1]) is None
    assert not served.ca.asked


@pytest.mark.parametrize(("settings", "named"), [({}, True), ({"send_replaces": False}, False)])
async def test_a_renewal_names_what_it_replaces_unless_switched_off(bench, served, settings, named):
    backend, chain = await issue(bench, served, **settings)
    _, outcome, _ = await order_and_drive(backend, "www.example.com", fields={"replaces": chain[0]})
    issued(outcome)
    assert served.ca.orders[-1].get("replaces") == (certificate_id(chain[0]) if named else None)


async def test_a_ca_without_renewal_information_is_not_told_what_is_replaced(bench, served):
    served.ca.has_renewal_info = False
    backend, chain = await issue(bench, served)
    _, outcome, _ = await order_and_drive(backend, "www.example.com", fields={"replaces": chain[0]})
    issued(outcome)
    assert "replaces" not in served.ca.orders[-1]


@pytest.mark.parametrize("kind", ["alreadyReplaced", "malformed", "serverBroken"])
async def test_a_ca_that_breaks_on_replaces_gets_the_order_without(bench, served, kind):
    backend, chain = await issue(bench, served)
    served.ca.faults.append(Refusal(kind, "replaces is not for us", status=409))
    _, outcome, _ = await order_and_drive(backend, "www.example.com", fields={"replaces": chain[0]})
    issued(outcome)
    assert "replaces" not in served.ca.orders[-1]


@pytest.mark.parametrize(("header", "expected"), [("120", 120), ("", 60), ("tomorrow", 60)])
async def test_a_rate_limit_is_honoured(bench, served, header, expected):
    backend = await bench.configure(served.at)
    headers = {"Retry_After": header} if header else {}
    served.ca.faults.append(Refusal("rateLimited", "too many orders already", status=429, **headers))
    order = make_order("www.example.com")
    with pytest.raises(NotOrdered, match="too many orders already") as caught:
        await backend.submit(order, await backend.prepare(order))
    assert caught.value.retry_after_s == expected


async def test_terms_that_have_changed_wait_for_a_person(bench, served):
    backend = await bench.configure(served.at)
    link = '<https://ca.example/terms>; rel="terms-of-service"'
    served.ca.faults.append(Refusal("userActionRequired", "terms have changed", status=403, Link=link))
    order = make_order("www.example.com")
    with pytest.raises(NotOrdered, match=r"https://ca\.example/terms"):
        await backend.submit(order, await backend.prepare(order))


@pytest.mark.parametrize(
    ("kind", "invalid"),
    [("rejectedIdentifier", False), ("caa", False), ("unsupportedIdentifier", True), ("malformed", True)],
)
async def test_the_ca_s_no_is_told_in_its_words(bench, served, kind, invalid):
    backend = await bench.configure(served.at)
    served.ca.faults.append(Refusal(kind, "not this name", status=403))
    _, outcome, _ = await order_and_drive(backend, "www.example.com")
    answer = refused(outcome)
    assert (answer.reason, answer.message, answer.invalid) == (kind, "not this name", invalid)


@pytest.mark.parametrize("lost", range(1, 7))
async def test_an_answer_that_never_arrives_is_asked_for_again(bench, served, lost):
    """The CA has done it, the connection broke: whatever the request was, there is one order."""
    backend = await bench.configure(served.at)
    order = make_order("www.example.com")
    intent = await backend.prepare(order)
    await backend.test()
    posts = 0

    async def cut(_number):
        nonlocal posts
        posts += 1
        served.server.lost = 1 if posts == lost else 0

    for _ in range(12):
        try:
            outcome, _ = await drive(backend, order, intent, each=cut)
            break
        except Unavailable:
            backend = await bench.reopened()
    issued(outcome)
    assert len(served.ca.orders) == 1


async def test_an_account_that_the_ca_has_lost_is_made_again(bench, served):
    backend, _ = await issue(bench, served)
    served.ca.accounts.clear()
    order = make_order("www.example.com")
    intent = await backend.prepare(order)
    with pytest.raises(NotOrdered):
        await backend.submit(order, intent)
    outcome, _ = await drive(backend, order, intent)
    issued(outcome)


@pytest.mark.parametrize("how", ["invalid", "gone"])
async def test_an_order_that_ran_out_before_anything_was_final_is_made_again(bench, served, how):
    backend = await bench.configure(served.at)
    order = make_order("www.example.com")
    outcome = await backend.submit(order, await backend.prepare(order))
    served.ca.orders[0]["status"] = how
    intent = Intent(serial_hex=None, document=outcome.document)
    outcome, phases = await drive(backend, order, intent)
    issued(outcome)
    assert phases[0] == "create"
    assert len(served.ca.orders) == 2


async def test_orders_that_always_run_out_are_given_up(bench, served):
    backend = await bench.configure(served.at, validation_attempts=1)
    order = make_order("www.example.com")
    intent = await backend.prepare(order)

    async def end(_number):
        for item in served.ca.orders:
            item["status"] = "invalid"

    outcome, _ = await drive(backend, order, intent, each=end)
    assert refused(outcome).reason == "OrderInvalid"
    assert len(served.ca.orders) == 2


@pytest.mark.parametrize(
    ("names", "requested", "reason"),
    [
        (("www.example.com",), ("www.example.com", "api.example.com"), "CsrLacksNames"),
        (("www.example.com", "api.example.com"), ("www.example.com",), "CsrHasMoreNames"),
    ],
)
async def test_a_signing_request_with_other_names_is_told_at_once(bench, served, names, requested, reason):
    backend = await bench.configure(served.at)
    with pytest.raises(OrderImpossible) as caught:
        await backend.prepare(make_order(*names, dns_names=requested))
    assert caught.value.reason == reason
    assert not served.ca.orders
