"""A certificate as a machine: whatever is done to it in whatever order, it stays within the diagram.

And it always comes to rest: while hub, CA and agents work, nothing stays in between for ever.
"""

import asyncio
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hub.db.errors import HubError
from hub.issuers.contract import Refused
from hub.issuers.private_ca.backend import PrivateCaBackend
from hub.lifecycle.editing import Edit
from hub.lifecycle.renewal import Renewal
from hub.lifecycle.replacing import Replacement
from hub.lifecycle.requests import Method
from hub.lifecycle.states import (
    CERTIFICATE,
    FINAL_STATUSES,
    INITIAL_STATUSES,
    INSTALL,
    RENEWAL,
    RESTING_STATUSES,
    CertificateEvent,
    CertificateStatus,
    InstallState,
    RenewalState,
)
from tests.simulators.found_certificates import self_signed
from tests.simulators.hub_world import ADMIN, World, csr

_FOLLOWING = {
    state: {row.next for (source, _), row in CERTIFICATE.items() if source == state} | {state}
    for state in CertificateStatus
}
_INTERIM = {CertificateStatus.APPROVED, CertificateStatus.APPLIED}
_CSR = csr()


class CertificateMachine(RuleBasedStateMachine):
    """Every action of the service, on certificates that come from one another."""

    def __init__(self):
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        self.world = World(f"sqlite:///{Path(self.folder.name) / 'hub.db'}")
        self.statuses: dict[int, str] = {}
        self.refusing = False
        self.submit = PrivateCaBackend.submit

    def run(self, awaitable):
        return self.loop.run_until_complete(awaitable)

    @initialize()
    def open(self):
        async def begin():
            self.world.open()
            await self.world.create()

        self.run(begin())
        machine = self

        async def submit(backend, order, intent):
            if machine.refusing:
                return Refused(reason="Refused", message="no", invalid=False)
            return await machine.submit(backend, order, intent)

        PrivateCaBackend.submit = submit

    def teardown(self):
        PrivateCaBackend.submit = self.submit
        if self.world.__dict__.get("lifecycle"):
            self.run(self.world.lifecycle.close())
            self.run(self.world.db.close())
        self.loop.close()
        self.folder.cleanup()

    def attempt(self, awaitable):
        """Do what may be refused; never anything else than by a named error."""
        try:
            return self.run(awaitable)
        except HubError:
            return None

    def note(self, enrolled):
        if enrolled is not None:
            self.statuses.setdefault(enrolled.id, CertificateStatus.REQUESTED)

    @rule(auto=st.booleans(), kept=st.booleans())
    def ask(self, auto, kept):
        profile = self.world.profile_id if auto else self.world.manual_profile_id
        passphrase = "open sesame" if kept else ""
        request = self.world.request(profile_id=profile, csr=_CSR, passphrase=passphrase)
        self.note(self.attempt(self.world.lifecycle.request(ADMIN, request)))

    @rule(number=st.integers(min_value=0, max_value=3))
    def find(self, number):
        found = self.run(self_signed(self.world, f"h{number}.local"))
        self.statuses.setdefault(found, CertificateStatus.EXTERNAL)

    @rule(refusing=st.booleans())
    def the_ca_changes_its_mind(self, refusing):
        self.refusing = refusing

    @precondition(lambda self: self.statuses)
    @rule(
        data=st.data(),
        action=st.sampled_from(
            [
                "approve",
                "decline",
                "revoke",
                "renew",
                "replace",
                "edit",
                "delete",
                "download",
                "assign",
                "move",
            ]
        ),
    )
    def act(self, data, action):
        target = data.draw(st.sampled_from(sorted(self.statuses)))
        lifecycle, organization = self.world.lifecycle, self.world.organization_id
        match action:
            case "approve":
                self.attempt(lifecycle.approve(ADMIN, target))
            case "decline":
                self.attempt(lifecycle.decline(ADMIN, target))
            case "revoke":
                self.attempt(lifecycle.revoke(ADMIN, target, reason="superseded"))
            case "renew":
                self.note(self.attempt(lifecycle.renew(ADMIN, target, Renewal(new_key_pair=False))))
            case "replace":
                wanted = Replacement(method=Method.CSR, csr=_CSR, reason="r")
                self.note(self.attempt(lifecycle.replace(ADMIN, target, wanted)))
            case "edit":
                self.attempt(lifecycle.editing.edit(ADMIN, target, Edit(changes={"comments": "c"})))
            case "delete":
                self.attempt(lifecycle.deleting.delete(ADMIN, target))
            case "download":
                self.attempt(lifecycle.download(ADMIN, target, "x509CO"))
            case "assign":
                self.attempt(
                    lifecycle.ownership.assign(
                        ADMIN, target, organization_id=organization, department_id=None
                    )
                )
            case "move":
                other = self.world.other_organization_id
                self.attempt(
                    lifecycle.ownership.move(ADMIN, target, organization_id=other, department_id=None)
                )

    @rule(days=st.sampled_from([1, 60, 400]))
    def time_passes(self, days):
        self.world.clock.forward(days=days)
        self.run(self.world.lifecycle.expire())

    @rule()
    def everybody_works(self):
        self.run(self.world.settle())
        for certificate_id in self.statuses:
            row = self.run(self.row(certificate_id))
            assert row is None or row.status not in _INTERIM, "nothing works on it, and it waits for nobody"

    async def row(self, certificate_id):
        from hub.lifecycle.models import Certificate

        async with self.world.db.read() as session:
            return await session.get(Certificate, certificate_id)

    @invariant()
    def nothing_leaves_the_diagram(self):
        if "lifecycle" not in self.world.__dict__:
            return
        for certificate_id, before in list(self.statuses.items()):
            row = self.run(self.row(certificate_id))
            if row is None:
                assert before in {CertificateStatus.EXTERNAL, CertificateStatus.UNMANAGED}
                del self.statuses[certificate_id]
                continue
            status = CertificateStatus(row.status)
            assert status in reachable(CertificateStatus(before)), f"{before} became {status}"
            assert InstallState(row.install_state) in InstallState
            assert RenewalState(row.renewal_state) in RenewalState
            self.statuses[certificate_id] = status


def reachable(start):
    """Every status that some events lead to; one action may be several, such as approve, apply, issue."""
    seen, todo = {start}, [start]
    while todo:
        for status in _FOLLOWING[todo.pop()] - seen:
            seen.add(status)
            todo.append(status)
    return seen


TestCertificateMachine = CertificateMachine.TestCase
TestCertificateMachine.settings = settings(
    max_examples=12,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def test_every_state_in_between_can_end():
    """From each status a final one, or one at which only people act, can be reached; no state is a trap."""
    for status in CertificateStatus:
        assert reachable(status) & (set(FINAL_STATUSES) | set(RESTING_STATUSES))
    for table, states in ((INSTALL, InstallState), (RENEWAL, RenewalState)):
        busy = [state for state in states if state == "Started"]
        for state in busy:
            ends = {row.next for (source, _), row in table.items() if source == state}
            assert {"Successful", "Failed"} <= ends


def test_a_refused_request_is_the_only_way_back_to_the_beginning():
    backwards = {
        source for (source, event), row in CERTIFICATE.items() if row.next == CertificateStatus.REQUESTED
    }
    assert backwards == {CertificateStatus.REJECTED, CertificateStatus.INVALID}
    assert all(
        event is CertificateEvent.RESUBMIT
        for (_, event), row in CERTIFICATE.items()
        if row.next == CertificateStatus.REQUESTED
    )
    assert set(INITIAL_STATUSES) <= set(CertificateStatus)
