"""Orders at CAs elsewhere: placed once whatever happens, asked about patiently, taken elsewhere in time."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from hub.access.models import AuditEntry
from hub.http.principal import SYSTEM
from hub.issuers import service as issuers_service
from hub.issuers.configuration import BackendChanges
from hub.issuers.contract import Refused
from hub.issuers.private_ca.backend import PrivateCaBackend
from hub.issuers.records import HealthState
from hub.lifecycle.models import LifecycleStep
from hub.profiles.errors import InvalidProfile
from pki.csrs import build_csr
from pki.keys import KeyType, generate_key
from pki.names import SubjectFields
from tests.simulators.hub_world import ADMIN
from tests.simulators.scripted_ca import CAS, Killed, ScriptedBackend, ScriptedCa

WWW = "www.example.com"


@pytest.fixture(autouse=True)
def _kinds(monkeypatch):
    kinds = {item.kind: item for item in (PrivateCaBackend, ScriptedBackend)}
    monkeypatch.setattr(issuers_service, "installed_kinds", lambda: kinds)
    CAS.clear()


async def backend(world, name):
    CAS[name] = ScriptedCa()
    async with world.db.write() as uow:
        return await world.issuers.create_backend(
            uow, name=name, kind="scripted", settings={"ca": name}, principal=SYSTEM
        )


@pytest.fixture
async def far(world):
    """A world whose manual profile is served by a scripted CA, with a second one behind it."""
    world.far_id = await backend(world, "far")
    world.spare_id = await backend(world, "spare")
    await change(world, backend_id=world.far_id)
    return world


async def change(world, **changes):
    async with world.db.write() as uow:
        await world.profiles.update(uow, world.manual_profile_id, changes=changes, principal=SYSTEM)


async def order(world):
    enrolled = await world.lifecycle.request(ADMIN, world.request(profile_id=world.manual_profile_id))
    await world.lifecycle.approve(ADMIN, enrolled.id)
    return enrolled.id


async def due_in(world):
    ((due_at, message),) = await world.rows(select(LifecycleStep.due_at, LifecycleStep.message))
    return due_at - world.clock.now, message


async def health(world, backend_id):
    async with world.db.read() as session:
        return (await world.issuers.health(session, [backend_id]))[backend_id]


async def test_an_order_goes_through_its_phases_at_once(far):
    certificate_id = await order(far)
    await far.settle()
    row = await far.certificate(certificate_id)
    assert (row.status, row.order_number, row.backend_id) == ("Issued", "1001", far.far_id)
    assert row.dns_names == [WWW]
    assert (await health(far, far.far_id)).state is HealthState.OK


@pytest.mark.parametrize("phase", ["new", "ordering", "ordered"])
async def test_killed_after_any_phase_the_ca_has_one_order(far, phase):
    certificate_id = await order(far)
    CAS["far"].dies_in = phase
    with pytest.raises(Killed):
        await far.settle()
    await far.reopen()
    # What the dead hub held is respected until its time is over.
    assert await far.run() == 0
    far.clock.forward(minutes=4)
    await far.settle()
    assert (await far.certificate(certificate_id)).status == "Issued"
    assert CAS["far"].created == 1


async def test_an_undecided_order_is_asked_about_ever_more_seldom(far):
    CAS["far"].decided = False
    certificate_id = await order(far)
    await far.settle()
    row = await far.certificate(certificate_id)
    assert (row.status, row.status_reason, row.status_message) == ("Applied", "CaPending", "a person decides")
    wait, message = await due_in(far)
    assert timedelta(seconds=9) < wait <= timedelta(seconds=10)
    assert message == "a person decides"
    far.clock.forward(hours=2)
    await far.settle()
    assert timedelta(minutes=11) < (await due_in(far))[0] < timedelta(minutes=13)
    far.clock.forward(days=3)
    await far.reopen()
    await far.settle()
    assert timedelta(minutes=59) < (await due_in(far))[0] <= timedelta(hours=1)
    CAS["far"].decided = True
    far.clock.forward(hours=1)
    await far.settle()
    assert (await far.certificate(certificate_id)).status == "Issued"
    assert CAS["far"].created == 1


@pytest.mark.parametrize(("invalid", "status"), [(True, "Invalid"), (False, "Rejected")])
async def test_the_cas_no_stands_with_the_certificate_in_its_own_words(far, invalid, status):
    CAS["far"].refusal = Refused(reason="-7", message="Domain is blocked", invalid=invalid)
    certificate_id = await order(far)
    await far.settle()
    row = await far.certificate(certificate_id)
    assert (row.status, row.status_reason, row.status_message) == (status, "-7", "Domain is blocked")
    assert await far.rows(select(LifecycleStep.id)) == []
    assert (await health(far, far.far_id)).state is HealthState.OK


async def test_an_outage_with_an_order_placed_waits_for_that_ca(far):
    await change(far, backup_backend_ids=(far.spare_id,))
    CAS["far"].decided = False
    certificate_id = await order(far)
    await far.settle()
    CAS["far"].up = False
    for _ in range(4):
        far.clock.forward(minutes=20)
        await far.settle()
    row = await far.certificate(certificate_id)
    assert (row.status, row.status_reason, row.backend_id) == ("Applied", "CaUnavailable", far.far_id)
    seen = await health(far, far.far_id)
    assert (seen.state, seen.last_error) == (HealthState.DOWN, "no route to the CA")
    wait, _message = await due_in(far)
    assert wait <= timedelta(minutes=5)
    CAS["far"].up = CAS["far"].decided = True
    far.clock.forward(minutes=5)
    await far.settle()
    assert (await far.certificate(certificate_id)).status == "Issued"
    assert (CAS["far"].created, CAS["spare"].created) == (1, 0)
    told = [kind for kind, _id in await far.events() if kind in {"CaBackendDown", "CaBackendUp"}]
    assert told == ["CaBackendDown", "CaBackendUp"]


async def test_a_ca_that_is_away_before_anything_was_ordered_is_replaced_by_the_next(far):
    await change(far, backup_backend_ids=(far.spare_id,))
    CAS["far"].up = False
    certificate_id = await order(far)
    await far.settle()
    row = await far.certificate(certificate_id)
    assert (row.status, row.backend_id, row.order_number) == ("Issued", far.spare_id, "1001")
    assert ("CertificateBackendChanged", str(certificate_id)) in await far.events()
    (details,) = await far.rows(
        select(AuditEntry.details).where(AuditEntry.action == "CertificateBackendChanged")
    )
    assert details[0] == {
        "from_backend_id": far.far_id,
        "to_backend_id": far.spare_id,
        "reason": "no route to the CA",
    }
    assert CAS["far"].created == 0


@pytest.mark.parametrize("automatic", [True, False])
async def test_a_disabled_ca_is_replaced_before_the_order_is_recorded(far, automatic):
    await change(far, backup_backend_ids=(far.backend_id,), auto_approve=automatic)
    async with far.db.write() as uow:
        await far.issuers.change_backend(uow, far.far_id, BackendChanges(status="disabled"), principal=SYSTEM)
    if automatic:
        request = far.request(profile_id=far.manual_profile_id)
        certificate_id = (await far.lifecycle.request(ADMIN, request)).id
    else:
        certificate_id = await order(far)
    await far.settle()
    row = await far.certificate(certificate_id)
    assert (row.status, row.backend_id) == ("Issued", far.backend_id)
    assert ("CertificateBackendChanged", str(certificate_id)) in await far.events()


async def test_without_another_ca_the_order_waits(far):
    CAS["far"].up = False
    certificate_id = await order(far)
    await far.settle()
    row = await far.certificate(certificate_id)
    assert (row.status, row.status_message) == ("Applied", "no route to the CA")
    CAS["far"].up = True
    far.clock.forward(minutes=1)
    await far.settle()
    assert (await far.certificate(certificate_id)).status == "Issued"


async def test_no_second_ca_for_a_refusal(far):
    await change(far, backup_backend_ids=(far.spare_id,))
    CAS["far"].refusal = Refused(reason="no", message="not for you", invalid=False)
    certificate_id = await order(far)
    await far.settle()
    assert (await far.certificate(certificate_id)).status == "Rejected"
    assert CAS["spare"].asked == 0


async def test_of_a_ca_that_is_down_one_order_is_asked_about(far):
    CAS["far"].decided = False
    for _ in range(6):
        await order(far)
    await far.settle()
    CAS["far"].up = False
    for _ in range(3):
        far.clock.forward(hours=1)
        await far.settle()
    assert (await health(far, far.far_id)).state is HealthState.DOWN
    far.clock.forward(hours=1)
    before = CAS["far"].asked
    await far.settle()
    assert CAS["far"].asked == before + 1
    CAS["far"].up = CAS["far"].decided = True
    far.clock.forward(minutes=6)
    await far.settle()
    assert len(CAS["far"].signing.issued) == 6


async def test_a_wrong_certificate_is_not_taken(far):
    signing = CAS["far"].signing
    other = build_csr(generate_key(KeyType.EC_P256), SubjectFields(common_name=WWW), (WWW,))
    from cryptography import x509

    from tests.simulators.signing_ca import der

    CAS["far"].chain = (der(signing.issue(x509.load_der_x509_csr(other))),)
    certificate_id = await order(far)
    await far.settle()
    row = await far.certificate(certificate_id)
    assert (row.status, row.status_reason) == ("Invalid", "CaAnsweredWrongCertificate")
    assert "another key" in row.status_message


async def test_a_certificate_without_the_names_is_not_taken(far, monkeypatch):
    issue = CAS["far"].signing.issue
    monkeypatch.setattr(CAS["far"].signing, "issue", lambda csr, **_: issue(csr, names=["example.com"]))
    certificate_id = await order(far)
    await far.settle()
    row = await far.certificate(certificate_id)
    assert (row.status, row.status_message) == ("Invalid", f"the CA's certificate lacks {WWW}")


async def test_backends_are_tested_as_time_passes_each_once(far):
    assert await far.issuers.check_backends() == 3
    assert await far.issuers.check_backends() == 0
    assert (CAS["far"].tests, CAS["spare"].tests) == (1, 1)
    CAS["far"].up = False
    far.clock.forward(minutes=6)
    for _ in range(3):
        await far.issuers.check_backends()
        far.clock.forward(minutes=1)
    seen = await health(far, far.far_id)
    assert (seen.state, seen.failures) == (HealthState.DOWN, 3)
    assert (await health(far, far.backend_id)).state is HealthState.OK
    # Who is known to be down is not tried first.
    await change(far, backup_backend_ids=(far.spare_id,))
    asked = CAS["far"].asked
    certificate_id = await order(far)
    await far.settle()
    assert (await far.certificate(certificate_id)).backend_id == far.spare_id
    assert CAS["far"].asked == asked


async def test_a_profiles_other_backends_exist_and_are_not_its_own(far):
    for wrong in ((99,), (far.far_id,)):
        with pytest.raises(InvalidProfile) as caught:
            await change(far, backup_backend_ids=wrong)
        assert caught.value.field == "backup_backend_ids"
