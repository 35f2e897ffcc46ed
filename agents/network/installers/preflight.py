"""Checks before the first write: pure, in order, each with a stable reason.

They exist because servers don't make them: Apache's own check passes with a key of another certificate, and
the reload that follows ends the whole server.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from agents.network.installers.material import Material
from agents.network.servers.certificate_files import key_matches
from agents.network.servers.model import Inventory, Node, is_literal_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


@dataclass(frozen=True, slots=True)
class Finding:
    """Why something must not be done: a stable word and a sentence."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What the checks look at, gathered once."""

    material: Material
    node: Node
    inventory: Inventory
    now: datetime


def affected_nodes(node: Node, inventory: Inventory) -> tuple[Node, ...]:
    """The node, then every other one that is served from exactly the same files."""
    others = (other for other in inventory.nodes if other.id != node.id and other.files == node.files)
    return (node, *others) if node.files else (node,)


def _node_not_manageable(facts: Facts) -> Finding | None:
    management = facts.node.management
    return None if management.manageable else Finding(management.reason, management.message)


def _key_differs_from_certificate(facts: Facts) -> Finding | None:
    if key_matches(facts.material.certificate, facts.material.key):
        return None
    return Finding("KeyDiffersFromCertificate", "the private key does not belong to the certificate")


def _outside_validity(facts: Facts) -> Finding | None:
    certificate = facts.material.certificate
    if facts.now > certificate.not_valid_after_utc:
        return Finding("CertificateExpired", f"the certificate expired on {certificate.not_valid_after_utc}")
    if facts.now < certificate.not_valid_before_utc:
        return Finding(
            "CertificateNotYetValid", f"the certificate starts at {certificate.not_valid_before_utc}"
        )
    return None


def _chain_out_of_order(facts: Facts) -> Finding | None:
    certificates = (facts.material.certificate, *facts.material.chain)
    for issued, issuer in pairwise(certificates):
        try:
            issued.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature):
            subject = issuer.subject.rfc4514_string()
            return Finding(
                "ChainOutOfOrder", f"{subject} did not sign the certificate before it in the chain"
            )
    return None


def _chain_missing(facts: Facts) -> Finding | None:
    files = facts.node.files
    if files and files.chain and not facts.material.chain:
        return Finding("ChainMissing", f"the server reads its chain from {files.chain}, and none was given")
    return None


def _name_not_covered(facts: Facts) -> Finding | None:
    for node in affected_nodes(facts.node, facts.inventory):
        primary = primary_name(node)
        if primary and not covers(facts.material.certificate, primary):
            return Finding("NameNotCovered", f"the certificate is not for {primary} ({node.source})")
    return None


def _file_shared(facts: Facts) -> Finding | None:
    """A key or chain that another node combines with a certificate that would stay as it is."""
    files = facts.node.files
    ours = {path.resolve() for path in files.paths()} if files else set()
    for other in facts.inventory.nodes:
        if other.files is None or other.files == files:
            continue
        if shared := next((path for path in other.files.paths() if path.resolve() in ours), None):
            return Finding("FileShared", f"{other.source} uses {shared} with other files")
    return None


CHECKS: tuple[Callable[[Facts], Finding | None], ...] = (
    _node_not_manageable,
    _key_differs_from_certificate,
    _outside_validity,
    _chain_out_of_order,
    _chain_missing,
    _name_not_covered,
    _file_shared,
)


def first_finding(facts: Facts) -> Finding | None:
    """The first thing that speaks against the install, or None."""
    return next((finding for check in CHECKS if (finding := check(facts))), None)


def uncovered_names(certificate: x509.Certificate, nodes: Iterable[Node]) -> tuple[str, ...]:
    """Further names of the nodes that the certificate is not for; told, but no obstacle."""
    names = (name for node in nodes for name in node.names if name != primary_name(node))
    return tuple(dict.fromkeys(name for name in names if _checkable(name) and not covers(certificate, name)))


def primary_name(node: Node) -> str:
    """The first name of a node that a certificate can be for, or empty."""
    return next((name for name in node.names if _checkable(name)), "")


def _checkable(name: str) -> bool:
    wildcard = name.startswith("*.") and is_literal_name(name[2:])
    return wildcard or is_literal_name(name) or _address(name) is not None


def covers(certificate: x509.Certificate, name: str) -> bool:
    """Whether the subject alternative names cover a host name, wildcard or address (RFC 9525 6.3, 6.4)."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return False
    if address := _address(name):
        return address in names.get_values_for_type(x509.IPAddress)
    wanted = name.lower().rstrip(".")
    parent = "*." + wanted.partition(".")[2]
    return any(
        found.lower().rstrip(".") in {wanted, parent} for found in names.get_values_for_type(x509.DNSName)
    )


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return None
