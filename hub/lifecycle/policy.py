"""May this request be made? Ordered, pure checks; everything that is wrong is reported, a field each.

What the checks look at is gathered once by :mod:`hub.lifecycle.gathering`. The key and the signing request
are judged by :mod:`pki.csr_policy`, the profile's limits by the profiles room, who may certify a name by the
organizations room; here they come together and are put to the fields of the request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from hub.fleet.commands import AgentRecord, NodeRecord
from hub.lifecycle.agreements import agreement_sha256
from hub.lifecycle.errors import FieldFinding
from hub.lifecycle.install_schedule import FIELD as INSTALL_SCHEDULE
from hub.lifecycle.install_schedule import schedule_faults
from hub.lifecycle.passphrases import passphrase_fault
from hub.lifecycle.requests import EnrollmentRequest, Installation, KeyLocation, Method, TargetNode
from hub.organizations.service import (
    CustomFieldRecord,
    DepartmentRecord,
    EffectiveSettings,
    OrganizationRecord,
    external_requester_fault,
    front_door,
    value_faults,
)
from hub.profiles.service import ProfileCheckInput, ProfileRecord, check_request
from pki.csr_policy import CSR_CHECKS, CsrPolicyInput
from pki.csrs import ParsedCsr
from pki.findings import Finding, all_findings
from pki.keys import KeyType

MAX_COMMON_NAME = 64
MAX_COMMENTS = 4000

COMMON_NAME, NAMES, CSR, KEY_TYPE = "common_name", "subject_alternative_names", "csr", "key_type"
PROFILE, TERM, ORGANIZATION, DEPARTMENT = "profile_id", "term_days", "organization_id", "department_id"
PKS_AGENT, TARGETS, KEY_LOCATION = "pks_agent_id", "targets", "key_location"
EXTERNAL_REQUESTER, AGREEMENT, PASSPHRASE = "external_requester", "agreement_accepted", "passphrase"

_PROFILE_FIELDS = {
    "ProfileDisabled": PROFILE,
    "OrganizationNotAllowed": PROFILE,
    "TermNotOffered": TERM,
    "TermTooLongNow": TERM,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyInput:
    """A request and everything that decides about it.

    ``names`` are normalized, the common name first. ``agents`` and ``nodes`` hold what was found; what is
    missing does not exist. ``settings`` are the organization's, or its department's, for the certificate's
    type; ``custom_fields`` are all of that type.
    """

    request: EnrollmentRequest
    common_name: str
    names: tuple[str, ...]
    profile: ProfileRecord | None
    organization: OrganizationRecord | None
    department: DepartmentRecord | None = None
    department_found: bool = True
    settings: EffectiveSettings = field(default_factory=EffectiveSettings)
    custom_fields: tuple[CustomFieldRecord, ...] = ()
    csr: ParsedCsr | None = None
    csr_fault: Finding | None = None
    # What the checks of the signing request look at, with what is known of its key; None: the request alone.
    csr_policy: CsrPolicyInput | None = None
    # The day of the request, by which public trust limits the term.
    on: date | None = None
    name_faults: tuple[FieldFinding, ...] = ()
    delegation: tuple[Finding, ...] = ()
    # Of profiles of public trust: names whose control is not validated now.
    validation: tuple[Finding, ...] = ()
    agents: Mapping[str, AgentRecord] = field(default_factory=dict)
    nodes: Mapping[TargetNode, NodeRecord] = field(default_factory=dict)


Check = Callable[[PolicyInput], tuple[FieldFinding, ...]]


def organization_unusable(given: PolicyInput) -> tuple[FieldFinding, ...]:
    """The organization does not exist, gets no certificates, or has no such department."""
    if given.organization is None:
        return (FieldFinding(ORGANIZATION, "OrganizationUnknown", "there is no such organization"),)
    if given.organization.status != "active":
        return (
            FieldFinding(
                ORGANIZATION, "OrganizationInactive", f"{given.organization.name} gets no certificates"
            ),
        )
    if not given.department_found:
        return (FieldFinding(DEPARTMENT, "DepartmentUnknown", "the organization has no such department"),)
    if given.department is not None and given.department.status != "active":
        message = f"the department {given.department.name} gets no certificates"
        return (FieldFinding(DEPARTMENT, "DepartmentInactive", message),)
    return ()


def type_not_enabled(given: PolicyInput) -> tuple[FieldFinding, ...]:
    """The organization or the department gets no certificates of this type."""
    if given.settings.enabled:
        return ()
    field_name = ORGANIZATION if given.request.department_id is None else DEPARTMENT
    message = "certificates of this type are switched off here: see the organization's settings"
    return (FieldFinding(field_name, "CertificateTypeDisabled", message),)


def profile_unknown(given: PolicyInput) -> tuple[FieldFinding, ...]:
    """The profile does not exist, or is for another type of certificate."""
    if given.profile is None:
        return (FieldFinding(PROFILE, "ProfileUnknown", "there is no such certificate profile"),)
    if given.profile.certificate_type != "ssl":
        return (FieldFinding(PROFILE, "ProfileOfOtherType", f"{given.profile.name} is not for TLS servers"),)
    return ()


def profile_not_among_settings(given: PolicyInput) -> tuple[FieldFinding, ...]:
    """The organization, or the department, is limited to other profiles."""
    allowed = given.settings.profile_ids
    if given.profile is None or allowed is None or given.profile.id in allowed:
        return ()
    message = f"the profile {given.profile.name} is not among those allowed here"
    return (FieldFinding(PROFILE, "ProfileNotAllowed", message),)


def external_requester_unusable(given: PolicyInput) -> tuple[FieldFinding, ...]:
    """An external requester is missing, is no address, or is one that is not allowed."""
    # A successor goes on under its predecessor's: nobody may be there to name another.
    if given.request.renews_id is not None:
        return ()
    finding = external_requester_fault(given.settings, given.request.external_requester)
    if finding is None:
        return ()
    return (FieldFinding(EXTERNAL_REQUESTER, finding.reason, finding.message),)


def custom_fields_unusable(given: PolicyInput) -> tuple[FieldFinding, ...]:
    """Values of custom fields that are missing or don't fit, as the request's front door asks for them."""
    request = given.request
    faults = value_faults(
        given.custom_fields,
        request.custom_fields,
        # A field that became mandatory later must not end what renews itself.
        door=front_door(request.requested_via) if request.renews_id is None else None,
        kept=frozenset(int(field_id) for field_id in request.kept_custom_fields),
    )
    return tuple(FieldFinding(fault.field, fault.reason, fault.message) for fault in faults)


def csr_unusable(given: PolicyInput) -> tuple[FieldFinding, ...]:
    """The signing request is missing, unreadable, not signed by its key, or its key is weak."""
    if given.request.method is not Method.CSR:
        return ()
    if given.csr_fault is not None:
        return (FieldFinding(CSR, given.csr_fault.reason, given.csr_fault.message),)
    if given.csr is None:
        return (FieldFinding(CSR, "CsrMissing", "paste the certificate signing request"),)
    # Whether the profile allows the key type is asked below, for all methods alike.
    policy = given.csr_policy or CsrPolicyInput(given.csr, frozenset({given.csr.key_type}))
    findings = all_findings(CSR_CHECKS, policy)
    return tuple(FieldFinding(CSR, finding.reason, finding.message) for finding in findings)


def key_type_unknown(given: PolicyInput) -> tuple[FieldFinding, ...]:
    """A key is to be made, of a type that nobody makes."""
    request = given.request
    if request.method is Method.CSR or request.key_type in frozenset(KeyType):
        return ()
    return (FieldFinding(KEY_TYPE, "KeyTypeUnknown", f"{request.key_type!r} is not a key type"),)


def names_unusable(given: PolicyInput) -> tuple[FieldFinding, ...]:
    """Names that are not names."""
    return given.name_faults


def common_name_too_long(given: PolicyInput) -> tuple[FieldFinding, ...]:
    """RFC 5280 leaves a common name 64 characters; longer names go into the alternative names only."""
    if len(given.common_name) <= MAX_COMMON_NAME:
        return ()
    message = f"a common name has at most {MAX_COMMON_NAME} characters; longer names can be alternative names"
    return (FieldFinding(COMMON_NAME, "CommonNameTooLong", message),)


def outside_profile(given: PolicyInput) -> tuple[FieldFinding, ...]:
    """What the profile does not allow."""
    if given.profile is None:
        return ()
    request = given.request
    uses_csr = request.method is Method.CSR
    key_type = (given.csr.key_type if given.csr else "") if uses_csr else request.key_type
    findings = check_request(
        ProfileCheckInput(
            profile=given.profile,
            organization_id=request.organization_id,
            key_type=key_type,
            names=given.names,
            term_days=request.term_days,
            on=given.on,
        )
    )
    key_field = CSR if uses_csr else KEY_TYPE
    return tuple(
        FieldFinding(_profile_field(finding, key_field), finding.reason, finding.message)
        for finding in findings
        # A key that could not be read has no type to complain about.
        if finding.reason != "KeyTypeNotAllowed" or key_type
    )


def _profile_field(finding: Finding, key_field: str) -> str:
    if finding.reason == "KeyTypeNotAllowed":
        return key_field
    return _PROFILE_FIELDS.get(finding.reason, NAMES)


def names_not_delegated(given: PolicyInput) -> tuple[FieldFinding, ...]:
    """Names that the organization may not certify."""
    return tuple(FieldFinding(NAMES, finding.reason, finding.message) for finding in given.delegation)


def names_not_validated(given: PolicyInput) -> tuple[FieldFinding, ...]:
    """Names of which nobody has shown control lately enough; private trust needs the delegation only."""
    return tuple(FieldFinding(NAMES, finding.reason, finding.message) for finding in given.validation)


def pks_agent_unusable(given: PolicyInput) -> tuple[FieldFinding, ...]:
    """The agent that should keep the key is missing, of another kind, or another organization's."""
    request = given.request
    needed = request.method is Method.PKS or (
        request.method is Method.AUTO_INSTALL and request.key_location is KeyLocation.PKS
    )
    if not needed:
        return ()
    if not request.pks_agent_id:
        return (FieldFinding(PKS_AGENT, "AgentMissing", "choose the private key store agent"),)
    return _agent_findings(given, request.pks_agent_id, kind="pks", field_name=PKS_AGENT)


def targets_unusable(given: PolicyInput) -> tuple[FieldFinding, ...]:
    """Nodes to install on: none, twice, unknown, unmanageable, or of agents that may not."""
    request = given.request
    if request.method is not Method.AUTO_INSTALL:
        if request.targets:
            return (FieldFinding(TARGETS, "TargetsNotExpected", "only automatic installation takes nodes"),)
        return ()
    if not request.targets:
        return (FieldFinding(TARGETS, "TargetsMissing", "choose at least one node"),)
    findings: list[FieldFinding] = []
    agents = tuple(dict.fromkeys(target.agent_id for target in request.targets))
    for agent_id in agents:
        findings.extend(_agent_findings(given, agent_id, kind="network", field_name=TARGETS))
    if request.key_location is KeyLocation.TARGET and len(agents) > 1:
        message = "a key that is made on the target stays there: several agents need a key in the store"
        findings.append(FieldFinding(KEY_LOCATION, "TargetsOfSeveralAgents", message))
    if len(set(request.targets)) < len(request.targets):
        findings.append(FieldFinding(TARGETS, "TargetRepeated", "a node is named twice"))
    findings.extend(finding for target in request.targets for finding in _node_findings(given, target))
    return tuple(findings)


def _agent_findings(
    given: PolicyInput, agent_id: str, *, kind: str, field_name: str
) -> tuple[FieldFinding, ...]:
    agent = given.agents.get(agent_id)
    belongs = agent is not None and agent.organization_id in {None, given.request.organization_id}
    # An agent of another organization is as unknown here as one that does not exist.
    if agent is None or not belongs:
        return (FieldFinding(field_name, "AgentUnknown", "the organization has no such agent"),)
    if agent.kind != kind:
        message = f"{agent.name} is a {agent.kind} agent, a {kind} agent is needed"
        return (FieldFinding(field_name, "AgentOfOtherKind", message),)
    if agent.status != "active":
        return (FieldFinding(field_name, "AgentNotActive", f"{agent.name} is {agent.status}"),)
    return ()


def _node_findings(given: PolicyInput, target: TargetNode) -> tuple[FieldFinding, ...]:
    if target.agent_id not in given.agents:
        return ()
    found = given.nodes.get(target)
    where = f"{target.server} {target.node_id}"
    if found is None or found.lost:
        return (FieldFinding(TARGETS, "NodeUnknown", f"{where}: the agent's inventory has no such node"),)
    if not found.node.manageable:
        message = f"{where} can't be managed: {found.node.problem or 'no reason given'}"
        return (FieldFinding(TARGETS, "NodeNotManageable", message),)
    return ()


def install_schedule_unusable(given: PolicyInput) -> tuple[FieldFinding, ...]:
    """An installation is scheduled without saying when, or at times that never come."""
    schedule = given.request.install_schedule
    if given.request.method is not Method.AUTO_INSTALL:
        return ()
    if schedule is None:
        if given.request.installation is not Installation.SCHEDULED:
            return ()
        return (FieldFinding(INSTALL_SCHEDULE, "ScheduleMissing", "say when the installation may begin"),)
    return tuple(
        FieldFinding(INSTALL_SCHEDULE, finding.reason, finding.message)
        for finding in schedule_faults(schedule)
    )


def comments_too_long(given: PolicyInput) -> tuple[FieldFinding, ...]:
    """Comments that are a document."""
    if len(given.request.comments) <= MAX_COMMENTS:
        return ()
    return (FieldFinding("comments", "CommentsTooLong", f"at most {MAX_COMMENTS} characters"),)


def agreement_not_accepted(given: PolicyInput) -> tuple[FieldFinding, ...]:
    """The profile has a subscriber agreement, and nobody has accepted this text of it."""
    if given.profile is None or not given.profile.agreement or given.request.agreement_accepted:
        return ()
    kept = given.request.kept_agreement
    if kept is not None and kept.get("sha256") == agreement_sha256(given.profile.agreement):
        return ()
    message = "the profile's subscriber agreement has to be accepted"
    return (FieldFinding(AGREEMENT, "AgreementNotAccepted", message),)


def passphrase_unusable(given: PolicyInput) -> tuple[FieldFinding, ...]:
    """A passphrase that is easily guessed, or a document."""
    finding = passphrase_fault(given.request.passphrase)
    return () if finding is None else (FieldFinding(PASSPHRASE, finding.reason, finding.message),)


REQUEST_CHECKS: tuple[Check, ...] = (
    organization_unusable,
    type_not_enabled,
    profile_unknown,
    profile_not_among_settings,
    csr_unusable,
    key_type_unknown,
    names_unusable,
    common_name_too_long,
    outside_profile,
    names_not_delegated,
    names_not_validated,
    pks_agent_unusable,
    targets_unusable,
    install_schedule_unusable,
    comments_too_long,
    external_requester_unusable,
    custom_fields_unusable,
    agreement_not_accepted,
    passphrase_unusable,
)
"""In this order; all that fail are reported."""


def check_enrollment(given: PolicyInput) -> tuple[FieldFinding, ...]:
    """Return everything that is wrong with a request."""
    findings = [finding for check in REQUEST_CHECKS for finding in check(given)]
    return tuple(dict.fromkeys(findings))
