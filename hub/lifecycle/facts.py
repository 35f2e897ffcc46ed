"""From a certificate's DER to the columns of its row."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from hub.db.uow import UnitOfWork
from hub.db.upsert import insert_for
from hub.lifecycle.models import CertificateBody
from pki.certificates import CertificateFacts

_RDN = re.compile(r"(?:^|[,+])(O|CN)=((?:[^,+\\]|\\.)*)")
_ESCAPED = re.compile(r"\\(.)")


def fact_columns(facts: CertificateFacts, chain: Iterable[bytes | str]) -> dict[str, Any]:
    """Return the columns that say what a certificate is; ``chain`` holds fingerprints, leaf first."""
    return {
        "fingerprint_sha256": facts.sha256,
        "fingerprint_sha1": facts.sha1,
        "fingerprint_md5": facts.md5,
        "chain": [item if isinstance(item, str) else item.hex() for item in chain],
        "serial_hex": facts.serial,
        "subject": facts.subject,
        "issuer": facts.issuer,
        "authority": authority_name(facts.issuer),
        "not_before": facts.not_before,
        "not_after": facts.not_after,
        "key_type": facts.key_type,
        "key_bits": facts.key_bits,
        "key_usage": list(facts.key_usage),
        "extended_key_usage": list(facts.extended_key_usage),
        "signature_algorithm": facts.signature_algorithm,
        "self_signed": facts.self_signed,
        "spki_sha256": facts.spki_sha256,
    }


def authority_name(issuer: str) -> str:
    """Return what people call the CA with this name (RFC 4514): its organization, else its common name."""
    values: dict[str, str] = {}
    for kind, value in _RDN.findall(issuer):
        # Names are written most specific first; the organization nearest to the root is the CA's.
        values[kind] = _ESCAPED.sub(r"\1", value)
    return (values.get("O") or values.get("CN") or issuer)[:128]


def name_columns(common_name: str, dns_names: Iterable[str], ip_addresses: Iterable[str]) -> dict[str, Any]:
    """Return the columns of names, cut to what a hostile certificate may not exceed."""
    dns, addresses = [str(name) for name in dns_names], [str(address) for address in ip_addresses]
    return {
        "common_name": common_name[:255],
        "dns_names": dns,
        "ip_addresses": addresses,
        "search_names": search_text(common_name, dns, addresses),
    }


def search_text(common_name: str, dns_names: Iterable[str], ip_addresses: Iterable[str]) -> str:
    """Return all names in lower case, each once: what a search looks at."""
    names = (common_name, *dns_names, *ip_addresses)
    return " ".join(dict.fromkeys(name.lower() for name in names if name))


async def store_bodies(uow: UnitOfWork, bodies: dict[str, bytes]) -> None:
    """Store DER by SHA-256 in sorted order, so that writers can't block one another; what is there stays."""
    if bodies:
        statement = insert_for(uow.session, CertificateBody.__table__).on_conflict_do_nothing()
        await uow.session.execute(
            statement, [{"sha256": sha256, "der": der} for sha256, der in sorted(bodies.items())]
        )
