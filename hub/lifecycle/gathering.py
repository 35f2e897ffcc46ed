"""Collecting what the request policy looks at, before anything is decided.

A :class:`Gatherer` lives for one batch of requests: profiles and organizations are read once, and the names
of all requests of an organization are checked in one go (one by one only if some of them fail).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from hub.db.errors import NotFound
from hub.fleet.commands import AgentRecord, NodeRecord
from hub.lifecycle.errors import FieldFinding
from hub.lifecycle.policy import COMMON_NAME, NAMES, PolicyInput
from hub.lifecycle.ports import Rooms
from hub.lifecycle.requests import EnrollmentRequest, Method, TargetNode
from hub.lifecycle.scoping import CERTIFICATE_TYPE
from hub.organizations.dcv.service import names_not_validated
from hub.organizations.service import (
    CustomFieldRecord,
    DepartmentRecord,
    EffectiveByDepartment,
    OrganizationRecord,
)
from hub.profiles.service import KeyKnowledge, ProfileRecord
from pki.csrs import ParsedCsr, parse_csr
from pki.errors import InvalidName, PkiError
from pki.findings import Finding
from pki.names import is_ip_address, normalize_dns_name, normalize_ip_address

_MAX_NAMES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRequest:
    """A request with its signing request parsed and its names normalized: no database was asked yet."""

    request: EnrollmentRequest
    common_name: str
    names: tuple[str, ...]
    csr: ParsedCsr | None
    csr_fault: Finding | None
    name_faults: tuple[FieldFinding, ...]


def read_request(request: EnrollmentRequest) -> ReadRequest:
    """Parse the signing request, with proof of possession, and normalize the names; never raises."""
    csr, csr_fault = _read_csr(request)
    common_name, wanted = request.common_name, request.names
    if csr is not None and not common_name and not wanted:
        common_name = csr.common_name
        wanted = (*csr.dns_names, *csr.ip_addresses)
    faults: list[FieldFinding] = []
    common = _normalized(common_name, COMMON_NAME, faults) if common_name.strip() else ""
    others = [_normalized(name, NAMES, faults) for name in wanted if name.strip()]
    names = tuple(dict.fromkeys(name for name in (common, *others) if name))
    return ReadRequest(
        request=request,
        # Old clients show nothing else; a name too long for it is left to the alternative names.
        common_name=common or next((name for name in names if len(name) <= 64), ""),
        names=names,
        csr=csr,
        csr_fault=csr_fault,
        name_faults=tuple(faults),
    )


def _read_csr(request: EnrollmentRequest) -> tuple[ParsedCsr | None, Finding | None]:
    if request.method is not Method.CSR or not request.csr:
        return None, None
    try:
        return parse_csr(request.csr), None
    except PkiError as fault:
        return None, Finding(type(fault).__name__, str(fault))


def _normalized(name: str, field: str, faults: list[FieldFinding]) -> str:
    try:
        return normalize_ip_address(name) if is_ip_address(name) else normalize_dns_name(name)
    except InvalidName as fault:
        faults.append(FieldFinding(field, "NameMalformed", str(fault)))
        return ""


class Gatherer:
    """Reads what decides about a batch of requests, each thing once."""

    def __init__(self, rooms: Rooms, session: AsyncSession, *, at: datetime) -> None:
        self._rooms = rooms
        self._session = session
        self._at = at
        self._organizations: dict[int, OrganizationRecord | None] = {}
        self._profiles: dict[int, ProfileRecord | None] = {}
        self._departments: dict[tuple[int, int], DepartmentRecord | None] = {}
        self._settings: dict[int, EffectiveByDepartment] = {}
        self._custom_fields: tuple[CustomFieldRecord, ...] | None = None
        self._keys: KeyKnowledge | None = None
        self._keys_asked: frozenset[str] = frozenset()
        self._clean_places: set[tuple[int, int | None]] = set()

    async def all(self, requests: Sequence[ReadRequest]) -> list[PolicyInput]:
        """Return the input of the policy for each request, in order."""
        await self._check_names_together(requests)
        await self._known([read.csr for read in requests if read.csr is not None])
        return [await self.one(request) for request in requests]

    async def one(self, read: ReadRequest) -> PolicyInput:
        """Return the input of the policy for one request."""
        request = read.request
        organization = await self._organization(request.organization_id)
        delegation: list[Finding] = []
        place = request.organization_id, request.department_id
        if organization is not None and read.names and place not in self._clean_places:
            delegation = await self._check_names(place, read.names)
        department = await self._department(request)
        agents = await self._agents(request)
        profile = await self._profile(request.profile_id)
        csr_policy = None
        if read.csr is not None:
            csr_policy = (await self._known([read.csr])).policy(read.csr, profile)
        return PolicyInput(
            request=request,
            common_name=read.common_name,
            names=read.names,
            profile=profile,
            organization=organization,
            department=department,
            department_found=request.department_id is None or department is not None,
            settings=(await self._settings_of(request.organization_id)).of(request.department_id),
            custom_fields=await self._fields(),
            csr=read.csr,
            csr_fault=read.csr_fault,
            csr_policy=csr_policy,
            on=self._at.date(),
            name_faults=read.name_faults,
            delegation=tuple(delegation),
            validation=await self._validation(profile, read.names),
            agents=agents,
            nodes=await self._nodes(request, agents),
        )

    async def _known(self, csrs: Sequence[ParsedCsr]) -> KeyKnowledge:
        keys = frozenset(csr.spki_sha256 for csr in csrs)
        if self._keys is None or not keys <= self._keys_asked:
            self._keys = await self._rooms.profiles.key_knowledge(self._session, keys)
            self._keys_asked = keys
        return self._keys

    async def _validation(self, profile: ProfileRecord | None, names: tuple[str, ...]) -> tuple[Finding, ...]:
        # More names than that are refused by the delegation's check.
        if profile is None or profile.trust != "public" or not 0 < len(names) <= _MAX_NAMES:
            return ()
        return tuple(await names_not_validated(self._session, names, at=self._at))

    async def _check_names_together(self, requests: Sequence[ReadRequest]) -> None:
        if len(requests) < 2:
            return
        names: dict[tuple[int, int | None], set[str]] = defaultdict(set)
        for read in requests:
            names[read.request.organization_id, read.request.department_id].update(read.names)
        for place, wanted in names.items():
            if await self._organization(place[0]) is None or not wanted:
                continue
            if not await self._check_names(place, sorted(wanted)):
                self._clean_places.add(place)

    async def _check_names(self, place: tuple[int, int | None], names: Sequence[str]) -> list[Finding]:
        organization_id, department_id = place
        return await self._rooms.organizations.check_names(
            self._session,
            organization_id,
            names,
            certificate_type=CERTIFICATE_TYPE,
            department_id=department_id,
        )

    async def _settings_of(self, organization_id: int) -> EffectiveByDepartment:
        if organization_id not in self._settings:
            self._settings[organization_id] = await self._rooms.organizations.effective_settings(
                self._session, organization_id, CERTIFICATE_TYPE
            )
        return self._settings[organization_id]

    async def _fields(self) -> tuple[CustomFieldRecord, ...]:
        if self._custom_fields is None:
            found = await self._rooms.organizations.custom_fields_of(self._session, CERTIFICATE_TYPE)
            self._custom_fields = tuple(found)
        return self._custom_fields

    async def _organization(self, organization_id: int) -> OrganizationRecord | None:
        if organization_id not in self._organizations:
            try:
                found = await self._rooms.organizations.get(self._session, organization_id)
            except NotFound:
                found = None
            self._organizations[organization_id] = found
        return self._organizations[organization_id]

    async def _profile(self, profile_id: int) -> ProfileRecord | None:
        if profile_id not in self._profiles:
            try:
                found = await self._rooms.profiles.get(self._session, profile_id)
            except NotFound:
                found = None
            self._profiles[profile_id] = found
        return self._profiles[profile_id]

    async def _department(self, request: EnrollmentRequest) -> DepartmentRecord | None:
        if request.department_id is None:
            return None
        place = request.organization_id, request.department_id
        if place not in self._departments:
            try:
                found = await self._rooms.organizations.department(self._session, *place)
            except NotFound:
                found = None
            self._departments[place] = found
        return self._departments[place]

    async def _agents(self, request: EnrollmentRequest) -> dict[str, AgentRecord]:
        wanted = {target.agent_id for target in request.targets}
        if request.pks_agent_id:
            wanted.add(request.pks_agent_id)
        found = {}
        for agent_id in sorted(wanted):
            try:
                found[agent_id] = await self._rooms.fleet.agent(self._session, agent_id)
            except NotFound:
                continue
        return found

    async def _nodes(
        self, request: EnrollmentRequest, agents: dict[str, AgentRecord]
    ) -> dict[TargetNode, NodeRecord]:
        nodes: dict[TargetNode, NodeRecord] = {}
        for target in request.targets:
            if target.agent_id not in agents:
                continue
            try:
                node = await self._rooms.fleet.find_node(
                    self._session, target.agent_id, target.server, target.node_id
                )
            except NotFound:
                continue
            if node is not None:
                nodes[target] = node
        return nodes
