"""Many at once, over both databases: no serial twice, no revocation lost, no list made twice."""

import asyncio
from datetime import timedelta

import pytest
from cryptography import x509
from sqlalchemy import select, update

from hub.http.principal import SYSTEM
from hub.issuers.models import CaAuthority, CaCrl
from hub.issuers.service import HierarchySpec, IssuerService
from pki.at_rest import KeyEncryptionKey, new_key


@pytest.fixture
def replicas(db):
    kek = KeyEncryptionKey(new_key())
    return [IssuerService(db, kek, public_url="http://hub.example.com") for _ in range(2)]


@pytest.fixture
async def backend_id(db, replicas):
    async with db.write() as uow:
        return await replicas[0].create_private_hierarchy(
            uow, HierarchySpec(name="Example"), principal=SYSTEM
        )


async def issuing_crl(db, issuers, backend_id):
    async with db.read() as session:
        slug = (await issuers.authorities(session, backend_id))[0].slug
        return x509.load_der_x509_crl((await issuers.crl(session, slug)).der)


def crl_number(crl):
    return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


async def test_no_revocation_is_lost(db, replicas, backend_id):
    async def revoke(serial):
        async with db.write() as uow:
            await replicas[serial % 2].certificate_revoked(
                uow, backend_id=backend_id, serial_hex=f"{serial:x}", reason="superseded", at=uow.now
            )

    first = crl_number(await issuing_crl(db, replicas[0], backend_id))
    # Each serial twice, from different replicas.
    await asyncio.gather(*(revoke(serial) for serial in [*range(1, 31), *range(1, 31)]))
    crl = await issuing_crl(db, replicas[0], backend_id)
    assert {entry.serial_number for entry in crl} == set(range(1, 31))
    # Thirty more, or the time where that is ahead of them.
    assert crl_number(crl) >= first + 30


async def test_a_due_list_is_made_by_one_replica(db, replicas, backend_id):
    async with db.write() as uow:
        issuing = select(CaAuthority.id).where(CaAuthority.role == "issuing")
        await uow.session.execute(
            update(CaCrl)
            .where(CaCrl.authority_id.in_(issuing))
            .values(refresh_at=uow.now - timedelta(seconds=1))
        )
    first = crl_number(await issuing_crl(db, replicas[0], backend_id))
    made = await asyncio.gather(*(issuers.refresh_crls() for issuers in replicas * 4))
    assert sum(made) == 1
    assert crl_number(await issuing_crl(db, replicas[0], backend_id)) > first
