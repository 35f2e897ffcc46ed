"""Vault's PKI engine, against a strict simulator of it."""

import pytest
from aiohttp import web
from cryptography import x509
from pydantic import ValidationError

from hub.db.errors import BackendRefused, Unavailable
from hub.issuers.contract import BackendContext, Issued, Pending
from hub.issuers.errors import NotOrdered
from hub.issuers.upstream.http import CredentialsRefused
from hub.issuers.upstream.vault_pki import VaultBackend, VaultSettings
from tests.simulators.signing_ca import der, real_clock
from tests.simulators.vault import Vault


@pytest.fixture
def vault():
    return Vault()


@pytest.fixture
async def server(vault, serve):
    return await serve(vault.application())


def backend_for(server, **changes):
    values = {
        "url": server.url,
        "ca_bundle": server.certificate,
        "role": "servers",
        "role_id": "role-1",
        "secret_id": "secret-1",
        "timeout_s": 5,
    } | changes
    context = BackendContext(backend_id=1, name="Vault", clock=real_clock, authorities=None)
    return VaultBackend.open(VaultSettings(**values), context)


@pytest.fixture
def backend(server):
    return backend_for(server)


async def test_a_certificate_is_signed_and_revoked(backend, vault, order, drive):
    await backend.test()
    wanted = order()
    issued = await drive.until_answer(backend, wanted)
    assert isinstance(issued, Issued)
    certificate = x509.load_der_x509_certificate(issued.chain[0])
    assert issued.chain[1:] == tuple(map(der, vault.signing.chain))
    assert vault.logins == 1
    serial = f"{certificate.serial_number:x}"
    for _ in range(2):
        await backend.revoke(serial, reason="superseded", at=wanted.not_before)
    assert list(vault.signing.revoked) == [certificate.serial_number]
    with pytest.raises(BackendRefused, match="not found"):
        await backend.revoke("abc", reason="superseded", at=wanted.not_before)


async def test_a_token_in_a_namespace(server, vault, order, drive):
    vault.namespace = "teams/web"
    backend = backend_for(server, authentication="token", token="hvs.root", namespace="teams/web")
    assert isinstance(await drive.until_answer(backend, order()), Issued)
    assert vault.logins == 0
    backend = backend_for(server, authentication="token", token="hvs.wrong", namespace="teams/web")
    refused = await drive.until_answer(backend, order())
    assert (refused.message, refused.invalid) == ("permission denied", False)


async def test_a_token_that_was_revoked_is_replaced(backend, vault, order, drive):
    await backend.test()
    vault.tokens.clear()
    assert isinstance(await drive.until_answer(backend, order()), Issued)
    assert vault.logins == 2


async def test_a_token_is_not_used_past_its_time(server, vault, order, drive):
    vault.lease_s = 20
    backend = backend_for(server)
    assert isinstance(await drive.until_answer(backend, order()), Issued)
    assert vault.logins > 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "www.other.net"}, "common name www.other.net not allowed by this role"),
        ({"term_days": 365}, "beyond the role's maximum"),
    ],
)
async def test_the_roles_no_in_its_words(backend, vault, order, drive, changes, words):
    refused = await drive.until_answer(backend, order(**changes))
    assert (refused.reason, refused.invalid) == ("CaStatus400", True)
    assert words in refused.message
    assert vault.signing.issued == {}


async def test_a_sealed_vault_before_and_after_the_order(backend, server, vault, order, drive):
    vault.sealed = True
    wanted = order()
    intent = await backend.prepare(wanted)
    with pytest.raises(NotOrdered, match="sealed"):
        await backend.submit(wanted, intent)
    vault.sealed = False
    _outcome, intent = await drive.once(backend, wanted, intent)
    vault.sealed = True
    with pytest.raises(Unavailable) as caught:
        await backend.submit(wanted, intent)
    assert not isinstance(caught.value, NotOrdered)
    vault.sealed = False
    # What became of the first attempt is not known: the next one is announced before it is made.
    outcome, intent = await drive.once(backend, wanted, intent)
    assert isinstance(outcome, Pending)
    assert intent.document["attempt"] == "2"
    assert isinstance(await drive.until_answer(backend, wanted, intent), Issued)


async def test_nonsense_is_no_answer(backend, server, order, drive):
    wanted = order()
    _outcome, intent = await drive.once(backend, wanted, await backend.prepare(wanted))
    server.faults = [web.json_response({"data": None})]
    with pytest.raises(Unavailable, match="another shape"):
        await backend.submit(wanted, intent)


async def test_wrong_settings_are_told(server):
    with pytest.raises(CredentialsRefused, match="invalid role or secret ID"):
        await backend_for(server, secret_id="wrong").test()
    with pytest.raises(BackendRefused, match="has no role nobody"):
        await backend_for(server, role="nobody").test()
    for changes in ({"role_id": ""}, {"authentication": "token"}, {"mount": "../sys"}):
        with pytest.raises(ValidationError):
            backend_for(server, **changes)
