"""What a scan has to say about one address and port, and how outcomes and system errors turn into it."""

from __future__ import annotations

import enum
import errno
from typing import NamedTuple

from agents.network.scanner.outcomes import (
    AlertSeen,
    ChainSeen,
    ClosedEarly,
    Malformed,
    NeedsTls13,
    NotTls,
    Outcome,
    TooLarge,
)


class Status(enum.StrEnum):
    """How a target ended."""

    OK = "ok"
    """A certificate chain was seen."""
    OPEN = "open"
    """The port accepts connections; no hello was sent because only a sweep was asked for."""
    NOT_TLS = "not_tls"
    """Something answers, and it isn't TLS."""
    TLS_FAILED = "tls_failed"
    """TLS answers, but no chain was to be had; the reason says why."""
    TIMEOUT = "timeout"
    """No answer in time, to the connect or to the hello; the reason says which."""
    CLOSED = "closed"
    """The host refuses connections to the port."""
    UNREACHABLE = "unreachable"
    """There is no way to the host, or none that this host's firewall allows."""
    UNRESOLVED = "unresolved"
    """The host name has no address."""
    NOT_ALLOWED = "not_allowed"
    """The address is excluded, or outside what this agent may scan; nothing was sent."""
    LOCAL_FAULT = "local_fault"
    """This host ran out of sockets or local ports for too long."""


class Observation(NamedTuple):
    """One target's end. A named tuple and not a dataclass: a sweep makes tens of thousands a second."""

    address: str
    """Empty for a host name without addresses."""
    port: int
    name: str | None
    """The host name that was asked for and sent as SNI."""
    status: Status
    chain: tuple[bytes, ...] = ()
    """DER, in the server's order."""
    version: str = ""
    """The TLS version agreed on, as `TLSv1.2`; empty if unknown."""
    reason: str = ""
    """A stable CamelCase word; empty when the status says it all."""
    detail: str = ""
    """For people: the alert's name, the banner's first bytes, the system's error."""
    partial: bool = True
    """The server has not proven that it holds the certificate's key."""


class Verdict(NamedTuple):
    """The part of an observation that doesn't depend on the target."""

    status: Status
    reason: str = ""
    detail: str = ""


CONNECT_TIMED_OUT = Verdict(Status.TIMEOUT, "ConnectTimedOut")
HELLO_TIMED_OUT = Verdict(Status.TIMEOUT, "HelloTimedOut")
PORT_OPEN = Verdict(Status.OPEN)
EXCLUDED = Verdict(Status.NOT_ALLOWED, "AddressExcluded")
OUTSIDE_POLICY = Verdict(Status.NOT_ALLOWED, "AddressOutsidePolicy")
NAME_NOT_FOUND = Verdict(Status.UNRESOLVED, "NameNotFound")
LOOKUP_TIMED_OUT = Verdict(Status.UNRESOLVED, "LookupTimedOut")
NO_LOCAL_RESOURCES = Verdict(Status.LOCAL_FAULT, "NoLocalResources")


def observe(address: str, port: int, name: str | None, verdict: Verdict) -> Observation:
    """The observation of a target that showed no chain."""
    status, reason, detail = verdict
    return Observation(address, port, name, status, (), "", reason, detail)


_REFUSED = Verdict(Status.CLOSED)
# Not the target's fault: too few descriptors, buffers or local ports. The connect is tried again later.
LOCAL_SHORTAGE = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL})


def verdict_of_errno(number: int) -> Verdict:
    """What a failed connect means."""
    if number in (errno.ECONNREFUSED, errno.ECONNRESET):
        return _REFUSED
    if number == errno.ETIMEDOUT:
        return CONNECT_TIMED_OUT
    return Verdict(Status.UNREACHABLE, errno.errorcode.get(number, str(number)))


def verdict_of_outcome(outcome: Outcome) -> Verdict:
    """What the end of a conversation means; a chain is kept by the caller."""
    match outcome:
        case ChainSeen():
            verdict = Verdict(Status.OK)
        case NotTls(excerpt=text):
            verdict = Verdict(Status.NOT_TLS, "NotTls", text)
        case AlertSeen():
            verdict = Verdict(Status.TLS_FAILED, "AlertReceived", outcome.name)
        case TooLarge(size=size):
            verdict = Verdict(Status.TLS_FAILED, "AnswerTooLarge", f"{size} bytes")
        case ClosedEarly(received=received):
            verdict = Verdict(Status.TLS_FAILED, "ClosedEarly", f"after {received} bytes")
        case Malformed(reason=reason, detail=detail):
            verdict = Verdict(Status.TLS_FAILED, reason, detail)
        case NeedsTls13():
            verdict = Verdict(Status.TLS_FAILED, "NeedsTls13")
    return verdict
