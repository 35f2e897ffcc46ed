"""From what an identity provider says about somebody to roles here: pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.access.signin.provider_settings import AttributeMapping, CommonSettings, TemplateGrant
from hub.http.principal import RoleGrant

_USERNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{1,63}")
_MAX_TEXT = 512

Attributes = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Somebody at an identity provider. ``subject`` names them for good."""

    subject: str
    attributes: Attributes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a new account would be called."""

    username: str
    name: str
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """What templates give."""

    grants: tuple[RoleGrant, ...]
    # None: what these roles have by default.
    privileges: frozenset[str] | None


def attributes_of_claims(claims: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return OIDC claims as attributes; objects are left out."""
    found: dict[str, tuple[str, ...]] = {}
    for name, value in claims.items():
        values = value if isinstance(value, list) else [value]
        texts = tuple(str(item)[:_MAX_TEXT] for item in values if isinstance(item, str | int | bool))
        if texts:
            found[name] = texts
    return found


def profile_of(identity: Identity, mapping: AttributeMapping) -> Profile | None:
    """Return user name, name and e-mail; None when there is no usable user name."""
    username = _first(identity.attributes, mapping.username) if mapping.username else identity.subject
    if _USERNAME.fullmatch(username) is None:
        return None
    return Profile(
        username=username.lower(),
        name=(_first(identity.attributes, mapping.name) or username)[:128],
        email=_first(identity.attributes, mapping.email)[:254],
    )


def _first(attributes: Attributes, name: str) -> str:
    return next(iter(attributes.get(name, ())), "") if name else ""


def granted(identity: Identity, settings: CommonSettings) -> Granted:
    """Return what all templates that match give together; no grants when none does."""
    grants: dict[RoleGrant, None] = {}
    privileges: set[str] = set()
    by_default = False
    for template in settings.templates:
        values = identity.attributes.get(template.attribute, ())
        if template.attribute and template.value not in values:
            continue
        given = [
            grant
            for item in template.grants
            for grant in _grants(item, identity.attributes, settings.organization_aliases)
        ]
        grants.update(dict.fromkeys(given))
        if given:
            by_default |= template.privileges is None
            privileges.update(template.privileges or ())
    return Granted(grants=tuple(grants), privileges=None if by_default else frozenset(privileges))


def _grants(item: TemplateGrant, attributes: Attributes, aliases: Mapping[str, int]) -> Sequence[RoleGrant]:
    organizations: list[int | None] = [item.organization_id]
    if item.organization_attribute:
        named = attributes.get(item.organization_attribute, ())
        organizations = [aliases[name] for name in named if name in aliases]
    return [
        RoleGrant(
            role=item.role,
            organization_id=organization_id,
            department_id=item.department_id,
            certificate_types=frozenset(item.certificate_types),
        )
        for organization_id in organizations
    ]
