"""Making the CAs of a private backend: a root, and the issuing CA under it.

In two steps, because RSA keys take seconds and a database transaction must not wait for them: make the
material, then store it with its first CRLs in one transaction.
"""

from __future__ import annotations

import asyncio
import os
import re
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import insert

from hub.db.uow import UnitOfWork
from hub.issuers.addresses import MAX_SHARDS, StatusAddresses
from hub.issuers.errors import InvalidHierarchy
from hub.issuers.models import CaAuthority
from hub.issuers.private_ca.ceremony import CA_KEY_TYPES, CaMaterial, CaSpec, create_issuing_ca, create_root
from pki.at_rest import KeyEncryptionKey
from pki.certificates import parse_certificate
from pki.errors import InvalidName
from pki.keys import KeyType, spki_sha256
from pki.names import SubjectFields
from pki.templates import SERIAL_RANDOM_BYTES, Validity

MAX_DAYS = 36_500
# CAs begin a little earlier than they are made, for clocks that are slow.
_BACKDATE = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class HierarchySpec:
    """What a private CA hierarchy is to be. ``organization`` and ``country`` go into the CAs' subjects."""

    name: str
    key_type: str = "EC-P256"
    root_key_type: str = ""
    """Empty: as ``key_type``."""
    root_days: int = 7300
    issuing_days: int = 3650
    organization: str = ""
    country: str = ""
    crl_shards: int = 1
    """Among how many lists the issuing CA's revocations are spread; fixed once the CA is made."""


@dataclass(frozen=True, slots=True)
class AuthorityMaterial:
    """One authority ready to be stored."""

    role: str
    slug: str
    material: CaMaterial = field(repr=False)
    crl_shards: int = 1
    crl_base: str = ""


@dataclass(frozen=True, slots=True)
class HierarchyMaterial:
    """A root and its issuing CA, made and not stored yet."""

    spec: HierarchySpec
    root: AuthorityMaterial
    issuing: AuthorityMaterial


async def make_hierarchy(
    spec: HierarchySpec, *, kek: KeyEncryptionKey, status_url: str, at: datetime
) -> HierarchyMaterial:
    """Make keys and certificates in a thread; nothing is stored.

    Raises:
        InvalidHierarchy: a name, key type or lifetime that no CA can have.
    """
    check_spec(spec)
    try:
        return await asyncio.to_thread(_make, spec, kek, status_url, at)
    except InvalidName as fault:
        raise InvalidHierarchy(str(fault), field="name") from fault


def check_spec(spec: HierarchySpec) -> None:
    """Raise InvalidHierarchy for what can't be."""
    for name in ("key_type", "root_key_type"):
        value = getattr(spec, name)
        if value not in CA_KEY_TYPES and not (name == "root_key_type" and not value):
            raise InvalidHierarchy(f"{name} is one of {', '.join(sorted(CA_KEY_TYPES))}", field=name)
    if not 1 <= spec.root_days <= MAX_DAYS:
        raise InvalidHierarchy(f"root_days is from 1 to {MAX_DAYS}", field="root_days")
    if not 1 <= spec.issuing_days <= spec.root_days:
        raise InvalidHierarchy("the issuing CA can't outlive its root", field="issuing_days")
    if not 1 <= len(spec.name.strip()) <= 50 or not spec.name.isprintable():
        raise InvalidHierarchy("name has 1 to 50 printable characters", field="name")
    if not 1 <= spec.crl_shards <= MAX_SHARDS:
        raise InvalidHierarchy(f"crl_shards is from 1 to {MAX_SHARDS}", field="crl_shards")


def _make(spec: HierarchySpec, kek: KeyEncryptionKey, status_url: str, at: datetime) -> HierarchyMaterial:
    begin = at.replace(microsecond=0) - _BACKDATE
    root = create_root(
        _ca_spec(spec, "Root CA", spec.root_key_type or spec.key_type, begin, spec.root_days), kek
    )
    root_slug = _slug(spec.name, "root", root)
    issuing = create_issuing_ca(
        _ca_spec(spec, "Issuing CA", spec.key_type, begin, spec.issuing_days),
        kek,
        parent=root.authority(StatusAddresses(base=status_url, slug=root_slug).urls(0)),
    )
    return HierarchyMaterial(
        spec,
        AuthorityMaterial("root", root_slug, root),
        AuthorityMaterial(
            "issuing",
            _slug(spec.name, "issuing", issuing),
            issuing,
            crl_shards=spec.crl_shards,
            crl_base=status_url if spec.crl_shards > 1 else "",
        ),
    )


def _ca_spec(spec: HierarchySpec, title: str, key_type: str, begin: datetime, days: int) -> CaSpec:
    return CaSpec(
        subject=SubjectFields(
            common_name=f"{spec.name.strip()} {title}",
            organization=spec.organization,
            country=spec.country,
        ),
        key_type=KeyType(key_type),
        validity=Validity(begin, begin + timedelta(days=days, seconds=-1)),
        random=os.urandom(SERIAL_RANDOM_BYTES),
    )


def _slug(name: str, role: str, material: CaMaterial) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = "-".join(re.findall(r"[a-z0-9]+", plain))[:40] or "ca"
    return f"{words}-{role}-{spki_sha256(material.signer.public_key)[:8]}"


async def store_authority(
    uow: UnitOfWork, authority: AuthorityMaterial, *, backend_id: int, parent_id: int | None
) -> int:
    """Store one authority and return its id."""
    facts = parse_certificate(authority.material.certificate)
    rows = await uow.session.execute(
        insert(CaAuthority)
        .values(
            backend_id=backend_id,
            parent_id=parent_id,
            role=authority.role,
            slug=authority.slug,
            certificate=authority.material.certificate,
            locked_key=authority.material.locked_key,
            key_sha256=facts.spki_sha256,
            not_before=facts.not_before,
            not_after=facts.not_after,
            created_at=uow.now,
            crl_shards=authority.crl_shards,
            crl_base=authority.crl_base,
        )
        .returning(CaAuthority.id)
    )
    return rows.scalar_one()
