"""Who is acting: an administrator with roles, or the system itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Role(StrEnum):
    """Administrator roles: of the whole system, of organizations, of departments."""

    MRAO = "MRAO"
    RAO = "RAO"
    DRAO = "DRAO"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleGrant:
    """One role of an administrator; RAO names an organization, DRAO a department of it too."""

    role: Role
    organization_id: int | None = None
    department_id: int | None = None
    # "ssl", "client", "code_signing", "device"; empty for MRAO, which covers all.
    certificate_types: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """From where somebody acts: address, and program as it names itself."""

    remote: str = ""
    user_agent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Somebody who acts.

    ``kind`` is "administrator", "api_token", "system" or, on public routes, "anonymous".
    """

    kind: str
    id: str
    name: str
    grants: tuple[RoleGrant, ...] = ()
    # Names of hub.access.privileges; an administrator's, whatever their roles.
    privileges: frozenset[str] = frozenset()
    # Of an API token: the actions it is limited to, such as "certificates.view" or "certificates.*".
    scopes: frozenset[str] = frozenset({"*"})
    # Until they have chosen a password, nothing else is allowed in a console session.
    must_change_password: bool = False
    # Of a console session: its public id, and how its owner showed who they are ("password", "totp", ...).
    session_id: str = ""
    methods: frozenset[str] = frozenset()
    # Set by the web shell for each request; the audit log writes it down.
    origin: Origin = field(default=Origin(), compare=False)

    @property
    def sees_everything(self) -> bool:
        """Whether no organization limits this principal."""
        return self.kind == "system" or any(grant.role is Role.MRAO for grant in self.grants)

    @property
    def organization_ids(self) -> frozenset[int]:
        """The organizations that the grants name; meaningless when :attr:`sees_everything`."""
        return frozenset(grant.organization_id for grant in self.grants if grant.organization_id is not None)


SYSTEM = Principal(kind="system", id="system", name="system")

ANONYMOUS = Principal(kind="anonymous", id="", name="")
