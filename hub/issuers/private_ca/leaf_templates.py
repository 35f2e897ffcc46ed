"""What certificates of each type are for: the templates that a private CA issues by.

A profile chooses within its type's template. Usages that make a key useful for something else are kept apart:
a server's key must not sign programs (RFC 5280, 4.2.1.12; CA/Browser Forum's code signing requirements).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafTemplate:
    """Usages of one type. ``suggested``: what a profile begins with; one of ``needed`` must be there."""

    title: str
    suggested: tuple[str, ...]
    key_usage: tuple[str, ...]
    needed: frozenset[str]
    forbidden: frozenset[str] = frozenset()


_SIGNERS = frozenset({"codeSigning", "timeStamping"})
_NEVER = frozenset({"OCSPSigning"})

LEAF_TEMPLATES: dict[str, LeafTemplate] = {
    "ssl": LeafTemplate(
        title="server",
        suggested=("serverAuth",),
        key_usage=("digitalSignature", "keyEncipherment"),
        needed=frozenset(),
        forbidden=_NEVER,
    ),
    "client": LeafTemplate(
        title="client",
        suggested=("clientAuth", "emailProtection"),
        key_usage=("digitalSignature", "keyEncipherment"),
        needed=frozenset({"clientAuth", "emailProtection", "smartcardLogon"}),
        forbidden=_NEVER | _SIGNERS | {"serverAuth"},
    ),
    "code_signing": LeafTemplate(
        title="code signing",
        suggested=("codeSigning",),
        key_usage=("digitalSignature",),
        needed=_SIGNERS,
        forbidden=_NEVER | {"serverAuth", "clientAuth", "emailProtection", "anyExtendedKeyUsage"},
    ),
    "device": LeafTemplate(
        title="device",
        suggested=("clientAuth",),
        key_usage=("digitalSignature", "keyEncipherment"),
        needed=frozenset({"clientAuth", "serverAuth", "ipsecIKE"}),
        forbidden=_NEVER | _SIGNERS,
    ),
}
"""Certificate type -> its template. Profiles of type ``ssl`` choose freely, so ``needed`` is empty there."""
