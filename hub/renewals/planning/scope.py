"""Which certificates a freeze or a maintenance window is for: in Python for one, in SQL for all.

Both readings are of the same :class:`Scope`; a test compares them. A server pattern is matched against the
names of agents, of the hosts they run on, and of the servers that certificates are installed on.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, column, exists, func, or_, table

from hub.lifecycle.models import Certificate, InstallItem

AGENTS = table("agents", column("id"), column("name"), column("hostname"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What narrows an entry; None or empty: nothing."""

    organization_id: int | None = None
    department_id: int | None = None
    profile_id: int | None = None
    agent_id: str | None = None
    server_pattern: str = ""

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self)

    @property
    def by_server(self) -> bool:
        """Whether it depends on where a certificate is installed."""
        return self.agent_id is not None or bool(self.server_pattern)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a scope is compared with. ``hosts``: names of agents, hosts and servers, in any case."""

    organization_id: int | None = None
    department_id: int | None = None
    profile_id: int | None = None
    agent_ids: frozenset[str] = frozenset()
    hosts: frozenset[str] = frozenset()
    # Whether agents install it: windows are for those only.
    installed: bool = False


def matches(scope: Scope, subject: Subject) -> bool:
    """Tell whether a certificate is in a scope."""
    if scope.agent_id is not None and scope.agent_id not in subject.agent_ids:
        return False
    for name in ("organization_id", "department_id", "profile_id"):
        wanted = getattr(scope, name)
        if wanted is not None and wanted != getattr(subject, name):
            return False
    if not scope.server_pattern:
        return True
    pattern = _pattern(scope.server_pattern)
    return any(pattern.fullmatch(host) for host in subject.hosts)


def condition(scope: Scope) -> ColumnElement[bool] | None:
    """Return the condition on certificates that are in a scope; None: all of them."""
    parts: list[ColumnElement[bool]] = []
    if scope.organization_id is not None:
        parts.append(Certificate.organization_id == scope.organization_id)
    if scope.department_id is not None:
        parts.append(Certificate.department_id == scope.department_id)
    if scope.profile_id is not None:
        parts.append(Certificate.profile_id == scope.profile_id)
    if scope.agent_id is not None:
        parts.append(_of_agent(scope.agent_id))
    if scope.server_pattern:
        parts.append(_on_server(scope.server_pattern))
    return and_(*parts) if parts else None


def _of_agent(agent_id: str) -> ColumnElement[bool]:
    item = exists().where(InstallItem.certificate_id == Certificate.id, InstallItem.agent_id == agent_id)
    return or_(Certificate.key_agent_id == agent_id, item)


def _on_server(pattern: str) -> ColumnElement[bool]:
    text = _like(pattern)

    def like(*columns: Any) -> ColumnElement[bool]:
        return or_(*(func.lower(item).like(text, escape="\\") for item in columns))

    key_agent = exists().where(
        AGENTS.c.id == Certificate.key_agent_id, like(AGENTS.c.name, AGENTS.c.hostname)
    )
    item = exists().where(
        InstallItem.certificate_id == Certificate.id,
        AGENTS.c.id == InstallItem.agent_id,
        like(AGENTS.c.name, AGENTS.c.hostname, InstallItem.server),
    )
    return or_(key_agent, item)


def _like(pattern: str) -> str:
    escaped = re.sub(r"([\\%_])", r"\\\1", pattern.lower())
    return escaped.replace("*", "%").replace("?", "_")


def _pattern(pattern: str) -> re.Pattern[str]:
    parts = {"*": ".*", "?": "."}
    text = "".join(parts.get(char, re.escape(char)) for char in pattern)
    return re.compile(text, re.IGNORECASE | re.DOTALL)
