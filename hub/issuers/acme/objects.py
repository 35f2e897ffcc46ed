"""ACME's resources as the hub reads them (RFC 8555, 7.1): JSON in, objects out.

Members that the hub has no use for are passed over; ones that are missing or of the wrong type make the whole
answer unusable, since nothing should be guessed about a CA.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub.issuers.acme.errors import NAMESPACE, CaUnreachable, Problem

_MAX_DETAIL = 1500


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """Where the CA's resources are (7.1.1); "" for optional ones that it does not have."""

    new_nonce: str
    new_account: str
    new_order: str
    revoke_cert: str
    key_change: str
    renewal_info: str = ""
    terms_of_service: str = ""
    external_account_required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    """A name or address; ``type`` is "dns" or "ip" (RFC 8738)."""

    type: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order (7.1.3). ``status``: pending, ready, processing, valid or invalid."""

    status: str
    identifiers: tuple[Identifier, ...]
    authorizations: tuple[str, ...]
    finalize: str
    certificate: str
    error: Problem | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """One way to prove control (7.1.5); the token is "" for types that have none."""

    type: str
    url: str
    status: str
    token: str
    error: Problem | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """What proves control of one identifier (7.1.4); ``wildcard``: the order's name began with ``*.``."""

    identifier: Identifier
    status: str
    challenges: tuple[Challenge, ...]
    wildcard: bool


def read_json(body: bytes) -> dict[str, Any]:
    """Return an answer's JSON object; raise CaUnreachable for anything else."""
    try:
        value = json.loads(body)
    except ValueError as fault:
        raise CaUnreachable("the CA's answer is not JSON") from fault
    if not isinstance(value, dict):
        raise CaUnreachable("the CA's answer is not a JSON object")
    return value


def read_directory(value: Mapping[str, Any]) -> Directory:
    """Read a directory; raise CaUnreachable."""
    meta = value.get("meta") or {}
    if not isinstance(meta, dict):
        raise CaUnreachable("the CA's directory has metadata that are none")
    return Directory(
        new_nonce=_text(value, "newNonce"),
        new_account=_text(value, "newAccount"),
        new_order=_text(value, "newOrder"),
        revoke_cert=_text(value, "revokeCert"),
        key_change=_text(value, "keyChange", ""),
        renewal_info=_text(value, "renewalInfo", ""),
        terms_of_service=_text(meta, "termsOfService", ""),
        external_account_required=bool(meta.get("externalAccountRequired", False)),
    )


def read_order(value: Mapping[str, Any]) -> Order:
    """Read an order; raise CaUnreachable."""
    return Order(
        status=_text(value, "status"),
        identifiers=tuple(_identifier(item) for item in _items(value, "identifiers")),
        authorizations=tuple(str(item) for item in _items(value, "authorizations")),
        finalize=_text(value, "finalize"),
        certificate=_text(value, "certificate", ""),
        error=_optional_problem(value.get("error")),
    )


def read_authorization(value: Mapping[str, Any]) -> Authorization:
    """Read an authorization; raise CaUnreachable."""
    identifier = value.get("identifier")
    return Authorization(
        identifier=_identifier(identifier),
        status=_text(value, "status"),
        challenges=tuple(_challenge(item) for item in _items(value, "challenges")),
        wildcard=bool(value.get("wildcard", False)),
    )


def read_problem(value: Any, *, status: int = 0) -> Problem:
    """Read a problem document; what is missing is left empty. Subproblems are joined to the text."""
    if not isinstance(value, dict):
        return Problem(kind="", detail=f"status {status}", status=status)
    subs = value.get("subproblems")
    inner = [read_problem(item).text() for item in subs if isinstance(item, dict)] if subs else []
    detail = "; ".join([str(value.get("detail") or f"status {status}"), *inner])
    return Problem(
        kind=str(value.get("type", "")).removeprefix(NAMESPACE)[:100],
        detail=detail[:_MAX_DETAIL],
        status=status,
    )


def _optional_problem(value: Any) -> Problem | None:
    return read_problem(value) if isinstance(value, dict) else None


def _challenge(value: Any) -> Challenge:
    if not isinstance(value, dict):
        raise CaUnreachable("the CA offers a challenge that is none")
    return Challenge(
        type=_text(value, "type"),
        url=_text(value, "url"),
        status=_text(value, "status", "pending"),
        token=_text(value, "token", ""),
        error=_optional_problem(value.get("error")),
    )


def _identifier(value: Any) -> Identifier:
    if not isinstance(value, dict):
        raise CaUnreachable("the CA names an identifier that is none")
    return Identifier(type=_text(value, "type"), value=_text(value, "value").lower())


def _text(value: Mapping[str, Any], name: str, default: str | None = None) -> str:
    found = value.get(name, default)
    if not isinstance(found, str):
        raise CaUnreachable(f"the CA's answer has no {name}")
    return found


def _items(value: Mapping[str, Any], name: str) -> list[Any]:
    found = value.get(name)
    if not isinstance(found, list):
        raise CaUnreachable(f"the CA's answer has no list of {name}")
    return found
