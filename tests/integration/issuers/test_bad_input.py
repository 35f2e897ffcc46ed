"""What goes wrong around a CA, a row each: the answer says what and why, and nothing is half done.

Through REST: status, stable code, words for whoever reads it; then the whole database is as it was before.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from hub.http.principal import SYSTEM
from tests.integration.issuers.bad_input_bench import (
    Bench,
    OfflineRoot,
    forged_request,
    key_sha256,
    running,
    sha1_request,
    signed_request,
    small_rsa_request,
)
from tests.integration.private_ca import conftest as private_ca

token = private_ca.token
Ask = tuple[str, str, dict[str, Any]]


@dataclass(frozen=True)
class Case:
    """One row: what is asked once everything is arranged for it to fail, and the answer."""

    name: str
    arrange: Callable[[Bench], Awaitable[Ask]]
    status: int
    code: str
    words: str
    finding: str = ""
    hsm: bool = False


def order(make: Callable[[], bytes]) -> Callable[[Bench], Awaitable[Ask]]:
    async def arrange(bench: Bench) -> Ask:
        return "POST", "/certificates", bench.order(make())

    return arrange


async def compromised(bench: Bench) -> Ask:
    csr = signed_request()
    async with bench.world.db.write() as uow:
        await bench.world.profiles.add_compromised(uow, [key_sha256(csr)], source="a list", principal=SYSTEM)
    return "POST", "/certificates", bench.order(csr)


def clock_off(**delta: float) -> Callable[[Bench], Awaitable[Ask]]:
    async def arrange(bench: Bench) -> Ask:
        bench.world.clock.forward(**delta)
        return "POST", "/certificates", bench.order(signed_request())

    return arrange


async def wrong_pin(bench: Bench) -> Ask:
    bench.token.pin = "000000"
    return "POST", "/private-cas", hsm_root()


async def hsm_gone(bench: Bench) -> Ask:
    bench.token.pull()
    return "POST", "/private-cas", hsm_root()


async def hsm_gone_under_its_parent(bench: Bench) -> Ask:
    root = await bench.done("POST", "/private-cas", hsm_root())
    bench.token.pull()
    subject = {"organization": "Example Ltd"}
    body = {"name": "Below", "template": "ec-p256-issuing", "parent_id": root["id"], "subject": subject}
    return "POST", "/private-cas", body


def hsm_root() -> dict[str, Any]:
    subject = {"organization": "Example Ltd"}
    return {"name": "In the HSM", "template": "ec-p256-root", "key_store": "hsm", "subject": subject}


def signed(**times: int) -> Callable[[Bench], Awaitable[Ask]]:
    async def arrange(bench: Bench) -> Ask:
        root = await bench.offline_root()
        request_id, csr = await bench.signing_request()
        certificate = root.sign(csr, **times)
        return "POST", f"/private-cas/requests/{request_id}/certificate", {"certificate": certificate}

    return arrange


async def signed_for_another_key(bench: Bench) -> Ask:
    root = await bench.offline_root()
    request_id, _ = await bench.signing_request()
    _, other = await bench.signing_request("Others")
    body = {"certificate": root.sign(other)}
    return "POST", f"/private-cas/requests/{request_id}/certificate", body


async def signed_by_a_stranger(bench: Bench) -> Ask:
    await bench.offline_root()
    request_id, csr = await bench.signing_request()
    # Of the same name: it is the key that counts.
    stranger = OfflineRoot(bench.world.clock().replace(microsecond=0))
    body = {"certificate": stranger.sign(csr)}
    return "POST", f"/private-cas/requests/{request_id}/certificate", body


def crl_of(make: Callable[[OfflineRoot], str]) -> Callable[[Bench], Awaitable[Ask]]:
    async def arrange(bench: Bench) -> Ask:
        root = await bench.offline_root()
        return "POST", f"/private-cas/{root.id}/crl", {"crl": make(root)}

    return arrange


def _stranger(root: OfflineRoot) -> str:
    return OfflineRoot(root.now).crl(11)


REFUSED = "request_refused"
IMPORT = "ca_import_refused"
CASES = [
    Case("forged request", order(forged_request), 422, REFUSED, "not signed by", "BadCsrSignature"),
    Case("small RSA key", order(small_rsa_request), 422, REFUSED, "2048 bits", "RsaKeyTooSmall"),
    Case("SHA-1 request", order(sha1_request), 422, REFUSED, "sha1", "WeakSignatureHash"),
    Case(
        "odd curve",
        order(lambda: signed_request(ec.generate_private_key(ec.SECP256K1()))),
        422,
        REFUSED,
        "secp256k1",
        "CurveNotAllowed",
    ),
    Case("compromised key", compromised, 422, REFUSED, "a list", "KeyCompromised"),
    Case("hub's clock behind", clock_off(days=-2), 422, REFUSED, "is valid from", "IssuingCaNotValid"),
    Case("hub's clock ahead", clock_off(days=3653), 422, REFUSED, "is valid from", "IssuingCaNotValid"),
    Case("wrong PIN", wrong_pin, 503, "hsm_pin_refused", "refuses the PIN", hsm=True),
    Case("HSM gone", hsm_gone, 503, "hsm_unavailable", "token certwright can't be used", hsm=True),
    Case(
        "HSM of the parent gone",
        hsm_gone_under_its_parent,
        503,
        "hsm_unavailable",
        "token certwright can't be used",
        hsm=True,
    ),
    Case("CA's clock ahead", signed(begin=2), 400, IMPORT, "is the clock", "CertificateNotYetValid"),
    Case("CA over", signed(begin=-30, days=29), 400, IMPORT, "it ended on", "CertificateExpired"),
    Case("another key", signed_for_another_key, 400, IMPORT, "another key", "CertificateOfOtherKey"),
    Case("unknown issuer", signed_by_a_stranger, 400, IMPORT, "import the root", "IssuerUnknown"),
    Case("older list", crl_of(lambda root: root.crl(9)), 400, IMPORT, "has number 9", "CrlNumberGoesBack"),
    Case("same list", crl_of(lambda root: root.crl(10)), 400, IMPORT, "has number 10", "CrlNumberGoesBack"),
    Case("list of a stranger", crl_of(_stranger), 400, IMPORT, "not signed by", "CrlOfOtherIssuer"),
    Case(
        "list of tomorrow",
        crl_of(lambda root: root.crl(11, begin=1)),
        400,
        IMPORT,
        "is that clock right",
        "CrlNotYetValid",
    ),
    Case(
        "list that is over",
        crl_of(lambda root: root.crl(11, begin=-30, days=29)),
        400,
        IMPORT,
        "",
        "CrlExpired",
    ),
]


def rows(*, hsm: bool) -> Any:
    cases = [case for case in CASES if case.hsm is hsm]
    return pytest.mark.parametrize("case", cases, ids=[case.name for case in cases])


@pytest.fixture
async def bench(tmp_path):
    async with running(f"sqlite:///{tmp_path / 'hub.db'}") as made:
        yield made


@pytest.fixture
async def hsm_bench(tmp_path, token):
    async with running(f"sqlite:///{tmp_path / 'hub.db'}", token) as made:
        yield made


async def assert_refused(bench: Bench, case: Case) -> None:
    method, path, body = await case.arrange(bench)
    before = await bench.contents()
    status, problem = await bench.ask(method, path, body)
    assert (status, problem["code"]) == (case.status, case.code), problem
    errors = problem.get("errors", [])
    said = " ".join([problem["detail"], *(item["message"] for item in errors)])
    assert case.words in said
    assert not case.finding or case.finding in said or case.finding in {item.get("code") for item in errors}
    assert await bench.contents() == before


@rows(hsm=False)
async def test_bad_input(bench, case):
    await assert_refused(bench, case)


@pytest.mark.server
@rows(hsm=True)
async def test_bad_hsm(hsm_bench, case):
    await assert_refused(hsm_bench, case)


@pytest.mark.server
@pytest.mark.parametrize(
    ("changes", "status", "code", "field"),
    [
        ({"name": "Private CA"}, 409, "ca_backend_name_taken", "name"),
        ({"name": " Private CA ", "external": True}, 409, "ca_backend_name_taken", "name"),
        ({"subject": {"organization": "Example Ltd", "country": "D1"}}, 400, "invalid_private_ca", "subject"),
        ({"external": True, "subject": {"country": "DE"}}, 400, "invalid_private_ca", "subject"),
    ],
    ids=["name taken", "name of a request taken", "no such country", "nobody's request"],
)
async def test_what_is_refused_leaves_no_key_in_the_hsm(hsm_bench, changes, status, code, field):
    body = hsm_root() | changes
    if body.get("external"):
        body["template"] = "ec-p256-issuing"
    before = hsm_bench.token.count_keys()
    answered, answer = await hsm_bench.ask("POST", "/private-cas", body)
    assert (answered, answer["code"]) == (status, code), answer
    assert [item["field"] for item in answer["errors"]] == [field]
    assert hsm_bench.token.count_keys() == before
