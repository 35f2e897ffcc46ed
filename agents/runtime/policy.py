"""``policy.toml``: what the hub may ask of this agent, decided by whoever owns the host.

The file is read strictly (an unknown key is an error: a misspelt rule must not pass for one) and anew for
each command, so that a tightening takes effect at once. A file that has become unreadable refuses
everything. Checks are pure; kinds of agents add their own to :data:`BASE_CHECKS`.
"""

import ipaddress
import re
import stat
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from agents.runtime.commands import Command, ExportKey, ExportKeyFile
from agents.runtime.config import describe_faults
from agents.runtime.errors import PolicyMalformed
from pki.errors import MalformedKey
from pki.findings import Finding
from pki.sealing import receiver_fingerprint

REFUSED = "PolicyRefused"
_FINGERPRINT = re.compile(r"sha256:[0-9a-f]{64}\Z")

CommandKind = Literal[
    "DiscoverNetwork",
    "DiscoverServers",
    "GenerateCertificate",
    "StoreCertificate",
    "InstallCertificate",
    "ExportKey",
    "DeleteKey",
    "CheckDomainControl",
    "RestartServer",
    "ExportKeyFile",
    "ImportKey",
    "ServeChallenge",
    "WithdrawChallenge",
]


def _network(text: str) -> str:
    network = ipaddress.ip_network(text)
    return str(network)


def _nameserver(text: str) -> str:
    address, _, port = text.partition("#")
    ipaddress.ip_address(address)
    if port and not (port.isdigit() and 0 < int(port) <= 65535):
        raise ValueError("write an address, or address#port")
    return text


def _pattern(text: str) -> str:
    path = PurePosixPath(text)
    if not path.is_absolute() or ".." in path.parts or len(path.parts) < 2:
        raise ValueError("write an absolute path below /, without '..'")
    return text


def _endpoint(text: str) -> str:
    if not text:
        return text
    address, _, port = text.rpartition(":")
    ipaddress.ip_address(address.strip("[]"))
    if not (port.isdigit() and int(port) <= 65535):
        raise ValueError("write address:port, such as 0.0.0.0:80")
    return text


def _folder(text: str) -> str:
    return _pattern(text) if text else text


def _fingerprint(text: str) -> str:
    if not _FINGERPRINT.match(text):
        raise ValueError("write sha256: and 64 hexadecimal digits, as `certwright-agent status` prints them")
    return text


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ScanPolicy(_Strict):
    """Which addresses may be connected to."""

    allow: tuple[Annotated[str, AfterValidator(_network)], ...] = ()
    deny: tuple[Annotated[str, AfterValidator(_network)], ...] = ()
    max_connects_per_second: Annotated[int, Field(ge=1, le=1_000_000)] = 2000


class InstallPolicy(_Strict):
    """Which files may be replaced, and on which servers."""

    paths: tuple[Annotated[str, AfterValidator(_pattern)], ...] = ()
    servers: tuple[str, ...] = ("*",)


class DomainControlPolicy(_Strict):
    """What checks of domain control may connect to, beside ports 80 and 443 of the public internet."""

    allow: tuple[Annotated[str, AfterValidator(_network)], ...] = ()
    ports: tuple[Annotated[int, Field(ge=1, le=65535)], ...] = ()
    nameservers: tuple[Annotated[str, AfterValidator(_nameserver)], ...] = ()
    """Addresses, or address#port, of recursive resolvers; empty: the system's."""


class ChallengePolicy(_Strict):
    """Where challenges of CAs may be answered, and for which names; nowhere unless the file says so."""

    domains: tuple[str, ...] = ("*",)
    http_listen: Annotated[str, AfterValidator(_endpoint)] = ""
    """Address and port of a listener that runs while there is something to answer, such as 0.0.0.0:80."""
    http_webroot: Annotated[str, AfterValidator(_folder)] = ""
    """Folder that a web server of this host serves: answers are files below it instead."""
    tls_listen: Annotated[str, AfterValidator(_endpoint)] = ""
    max_lifetime_s: Annotated[int, Field(ge=60, le=86_400)] = 3600

    def allows(self, name: str) -> bool:
        """Whether challenges for a name may be answered."""
        return any(fnmatchcase(name, pattern) for pattern in self.domains)


class KeyDownloadPolicy(_Strict):
    """To whom a private key may be sealed as a file."""

    receivers: Literal["never", "any-receiver"] | tuple[Annotated[str, AfterValidator(_fingerprint)], ...] = (
        "never"
    )
    """Fingerprints of receivers' keys. ``any-receiver`` trusts the hub to say who may have keys."""


class Policy(_Strict):
    """The whole file."""

    commands: tuple[CommandKind, ...]
    key_export: Literal["never"] | tuple[Annotated[str, AfterValidator(_fingerprint)], ...] = "never"
    scan: ScanPolicy = ScanPolicy()
    install: InstallPolicy = InstallPolicy()
    domain_control: DomainControlPolicy = DomainControlPolicy()
    key_download: KeyDownloadPolicy = KeyDownloadPolicy()
    challenges: ChallengePolicy = ChallengePolicy()

    def may_write(self, path: Path) -> bool:
        """Whether a file may be replaced, both by its name and after symbolic links."""
        return all(self._matches(each) for each in (path, path.resolve()))

    def _matches(self, path: Path) -> bool:
        return any(path_matches(PurePosixPath(path), pattern) for pattern in self.install.paths)

    def may_export_to(self, fingerprint: str) -> bool:
        """Whether a private key may be sealed to this receiver."""
        return self.key_export != "never" and fingerprint in self.key_export

    def may_download_to(self, fingerprint: str) -> bool:
        """Whether a key file may be sealed to this receiver."""
        receivers = self.key_download.receivers
        return receivers == "any-receiver" or (receivers != "never" and fingerprint in receivers)

    def may_manage(self, server: str) -> bool:
        """Whether certificates may be installed on this server."""
        return any(fnmatchcase(server, pattern) for pattern in self.install.servers)


def path_matches(path: PurePosixPath, pattern: str) -> bool:
    """Whether a path is the pattern's, or below it; ``*`` stands for anything within one part."""
    if not path.is_absolute() or ".." in path.parts:
        return False
    wanted = PurePosixPath(pattern.removesuffix("/**")).parts
    return len(path.parts) >= len(wanted) and all(
        fnmatchcase(part, want) for part, want in zip(path.parts, wanted, strict=False)
    )


@dataclass(frozen=True, slots=True)
class PolicyQuestion:
    """A command, and the policy it meets."""

    command: Command
    policy: Policy


PolicyCheck = Callable[[PolicyQuestion], Finding | None]


def kind_not_allowed(question: PolicyQuestion) -> Finding | None:
    """The kind of command must be in the list."""
    if question.command.kind in question.policy.commands:
        return None
    return Finding(REFUSED, f"the local policy does not allow {question.command.kind}")


def receiver_not_allowed(question: PolicyQuestion) -> Finding | None:
    """A private key leaves only to receivers that the file names."""
    body = question.command.body
    if not isinstance(body, ExportKey):
        return None
    try:
        fingerprint = receiver_fingerprint(body.receiver_public_key)
    except MalformedKey as fault:
        return Finding(REFUSED, str(fault))
    if question.policy.may_export_to(fingerprint):
        return None
    return Finding(REFUSED, f"the local policy does not let a private key out to receiver {fingerprint}")


def download_not_allowed(question: PolicyQuestion) -> Finding | None:
    """A key file leaves only for receivers that the file names, or for all where it says so."""
    body = question.command.body
    if not isinstance(body, ExportKeyFile):
        return None
    try:
        fingerprint = receiver_fingerprint(body.receiver_public_key)
    except MalformedKey as fault:
        return Finding(REFUSED, str(fault))
    if question.policy.may_download_to(fingerprint):
        return None
    return Finding(
        REFUSED, f"the local policy does not let a private key be downloaded by receiver {fingerprint}"
    )


BASE_CHECKS: tuple[PolicyCheck, ...] = (kind_not_allowed, receiver_not_allowed, download_not_allowed)
"""What every agent checks."""


def parse_policy(text: str, *, source: str = "policy.toml") -> Policy:
    """Read a policy; raise PolicyMalformed."""
    try:
        return Policy.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as fault:
        raise PolicyMalformed(f"{source}: {fault}") from fault
    except ValidationError as fault:
        raise PolicyMalformed(f"{source}: {describe_faults(fault)}") from fault


def load_policy(path: Path) -> Policy:
    """Read the policy file; raise PolicyMalformed, also when there is none."""
    try:
        if path.stat().st_mode & stat.S_IWOTH:
            raise PolicyMalformed(f"{path}: everybody on this host may change it, so it counts for nothing")
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise PolicyMalformed(f"{path}: {fault}") from fault
    return parse_policy(text, source=str(path))
