"""What would become of a request, without making it: for forms that show faults while they are filled in."""

from __future__ import annotations

from dataclasses import dataclass

from hub.db.uow import Database
from hub.http.principal import Principal
from hub.lifecycle.errors import FieldFinding, RequestRefused
from hub.lifecycle.gathering import Gatherer, read_request
from hub.lifecycle.intake import accept
from hub.lifecycle.ports import Rooms
from hub.lifecycle.requests import EnrollmentRequest
from hub.lifecycle.scoping import may_act, no_such_organization
from pki.csrs import ParsedCsr


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What the hub reads in a request, and everything that is wrong with it."""

    common_name: str
    names: tuple[str, ...]
    csr: ParsedCsr | None
    findings: tuple[FieldFinding, ...]


class Checking:
    """Holds requests to the policy and stores nothing."""

    def __init__(self, db: Database, rooms: Rooms) -> None:
        self._db = db
        self._rooms = rooms

    async def check(self, principal: Principal, request: EnrollmentRequest) -> Checked:
        """Return what a request of this content would be told.

        Raises:
            RequestRefused: the organization is not the caller's, so that nothing can be said.
        """
        if not may_act(principal, request.organization_id, request.department_id):
            raise no_such_organization()
        read = read_request(request)
        async with self._db.read() as session:
            given = await Gatherer(self._rooms, session, at=self._db.clock()).one(read)
        findings: tuple[FieldFinding, ...] = ()
        try:
            accept(principal, given)
        except RequestRefused as refused:
            findings = refused.findings
        return Checked(common_name=read.common_name, names=read.names, csr=read.csr, findings=findings)
