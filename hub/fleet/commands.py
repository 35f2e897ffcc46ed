"""Commands and their results as the hub's rooms see them.

Typed mirrors of ``commands.proto``; :mod:`hub.fleet.wire` is the only place that turns them into protobuf
messages and back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRange:
    """A CIDR, address, ``a-b`` range or host name, with ports such as ``443`` or ``8000-8010``."""

    target: str
    ports: tuple[str, ...] = ("443",)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoverNetwork:
    """Connect to TLS ports and report the certificates they show."""

    ranges: tuple[ScanRange, ...]
    exclusions: tuple[str, ...] = ()
    connects_per_second: int = 0
    concurrency: int = 0
    timeout_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoverServers:
    """List the web servers that the agent may manage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectFields:
    """Subject attributes next to the common name; empty: left out."""

    organization: str = ""
    organizational_unit: str = ""
    locality: str = ""
    state: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateCertificate:
    """Make a key pair and a CSR; the key stays with the agent."""

    key_id: str
    key_type: str
    common_name: str
    dns_names: tuple[str, ...] = ()
    ip_addresses: tuple[str, ...] = ()
    subject: SubjectFields = field(default_factory=SubjectFields)
    reuse_key: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedKey:
    """A private key sealed to one receiver; opaque to the hub."""

    envelope: bytes = field(repr=False)
    spki_sha256: bytes
    sender_agent_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreCertificate:
    """Put an issued certificate beside its key. ``chain`` is DER, leaf first."""

    key_id: str
    chain: tuple[bytes, ...]
    sealed_key: SealedKey | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallTarget:
    """A node of a server, as the inventory names them."""

    server: str
    node_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallCertificate:
    """Install a stored certificate, verify it by handshake, roll back where it is wrong."""

    key_id: str
    certificate_sha256: bytes
    targets: tuple[InstallTarget, ...]
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportKey:
    """Seal a private key to a receiver that the PKS agent's own policy names."""

    key_id: str
    receiver_public_key: bytes
    receiver_agent_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteKey:
    """Remove a key from the agent's store."""

    key_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckDomainControl:
    """Look up what should prove control of a domain. ``method``: "txt", "cname" or "file"."""

    domain: str
    method: str
    name: str = ""
    urls: tuple[str, ...] = ()
    timeout_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartServer:
    """Restart a server so that it takes up what was deployed on its nodes; verify by handshake."""

    server: str
    node_ids: tuple[str, ...]
    certificate_sha256: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportKeyFile:
    """Seal a key with its certificates, as a file with a passphrase, to somebody who downloads it.

    ``format``: "pkcs12", "pkcs12_legacy" or "pem".
    """

    key_id: str
    chain: tuple[bytes, ...]
    format: str
    receiver_public_key: bytes
    download_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportKey:
    """Keep a private key that its owner sealed to the agent, with its certificate."""

    key_id: str
    chain: tuple[bytes, ...]
    envelope: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeChallenge:
    """Answer a challenge of an ACME CA for a while; ``method``: "http-01" or "tls-alpn-01"."""

    key: str
    method: str
    identifier: str
    token: str
    key_authorization: str = field(repr=False)
    lifetime_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawChallenge:
    """Take the answer to a challenge away before its time."""

    key: str


CommandBody = (
    DiscoverNetwork
    | DiscoverServers
    | GenerateCertificate
    | StoreCertificate
    | InstallCertificate
    | ExportKey
    | DeleteKey
    | CheckDomainControl
    | RestartServer
    | ExportKeyFile
    | ImportKey
    | ServeChallenge
    | WithdrawChallenge
)


# ---- results


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One TLS port that answered a scan. ``status``: "ok", "not_tls" or "tls_failed"."""

    address: str
    port: int
    server_name: str
    chain_sha256: tuple[bytes, ...]
    status: str
    reason: str
    protocol: str
    hostname: str
    seen_at: datetime
    partial: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkFinds:
    """A batch of what a scan found; ``certificates`` are DER, each carried once per command."""

    certificates: tuple[bytes, ...]
    endpoints: tuple[Endpoint, ...]
    cursor: int
    targets_done: int
    targets_total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkDiscovered:
    """The counts of a finished scan."""

    targets: int
    open: int
    closed: int
    silent: int
    certificates: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePort:
    """A port of a node; ``certificate_sha256`` is empty where nothing is served."""

    address: str
    port: int
    protocol: str
    certificate_sha256: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerNode:
    """A virtual host, server block, connector or site."""

    id: str
    names: tuple[str, ...]
    ports: tuple[NodePort, ...]
    certificate_path: str
    key_path: str
    location: str
    manageable: bool
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A web server that an agent may manage."""

    name: str
    kind: str
    version: str
    nodes: tuple[ServerNode, ...]
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerInventory:
    """All servers of one agent."""

    servers: tuple[Server, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateGenerated:
    """A CSR (DER) over a key that stays with the agent."""

    key_id: str
    csr: bytes
    spki_sha256: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateStored:
    """The certificate lies beside its key."""

    key_id: str
    certificate_sha256: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallOutcome:
    """What became of one target."""

    server: str
    node_id: str
    status: str
    reason: str
    message: str
    served: tuple[NodePort, ...]
    rolled_back: bool
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateInstalled:
    """The outcomes of an installation, one a target."""

    outcomes: tuple[InstallOutcome, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyExported:
    """A sealed key on its way to its receiver."""

    sealed_key: SealedKey


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDeleted:
    """The key is gone."""

    key_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainControlSeen:
    """What an agent saw; ``reason`` and ``message`` are set where that is nothing."""

    values: tuple[str, ...]
    trail: tuple[str, ...]
    reason: str
    message: str
    authenticated: bool
    seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerRestarted:
    """What the nodes of a restarted server serve, one outcome a node."""

    outcomes: tuple[InstallOutcome, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFileExported:
    """A sealed key file on its way to who asked for it; opaque to the hub."""

    envelope: bytes = field(repr=False)
    download_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyImported:
    """The key lies in the store, its certificate beside it."""

    key_id: str
    certificate_sha256: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeServed:
    """A challenge is answered; ``where``: an address with a port, or a file."""

    key: str
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeWithdrawn:
    """The answer to a challenge is gone."""

    key: str


CommandResult = (
    NetworkDiscovered
    | ServerInventory
    | CertificateGenerated
    | CertificateStored
    | CertificateInstalled
    | KeyExported
    | KeyDeleted
    | DomainControlSeen
    | ServerRestarted
    | KeyFileExported
    | KeyImported
    | ChallengeServed
    | ChallengeWithdrawn
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandFailure:
    """Why a command failed: a stable word, a text for a person, and whether a repeat may succeed."""

    reason: str
    message: str
    retryable: bool = False


def kind_of(body: CommandBody) -> str:
    """Return the command's kind, such as ``DiscoverNetwork``."""
    return type(body).__name__


# The one kind of result that ends a command of each kind successfully.
RESULT_OF: dict[str, type[CommandResult]] = {
    "DiscoverNetwork": NetworkDiscovered,
    "DiscoverServers": ServerInventory,
    "GenerateCertificate": CertificateGenerated,
    "StoreCertificate": CertificateStored,
    "InstallCertificate": CertificateInstalled,
    "ExportKey": KeyExported,
    "DeleteKey": KeyDeleted,
    "CheckDomainControl": DomainControlSeen,
    "RestartServer": ServerRestarted,
    "ExportKeyFile": KeyFileExported,
    "ImportKey": KeyImported,
    "ServeChallenge": ChallengeServed,
    "WithdrawChallenge": ChallengeWithdrawn,
}


# ---- what other rooms are told about commands and agents


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningCommand:
    """A command that an agent is working on."""

    id: str
    kind: str
    agent_id: str
    subject_type: str
    subject_id: str
    organization_id: int | None
    body: CommandBody


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedCommand:
    """A command that has ended: exactly one of ``result`` and ``failure`` is set.

    A cancelled one carries the failure reason ``Cancelled``, an expired one ``Expired``.
    """

    id: str
    kind: str
    agent_id: str
    subject_type: str
    subject_id: str
    organization_id: int | None = None
    body: CommandBody
    result: CommandResult | None
    failure: CommandFailure | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandProgress:
    """How far a command is; ``share`` from 0 to 1, negative where it can't be told."""

    share: float
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRecord:
    """An agent as other rooms see it. ``status``: "active" or "removed"."""

    id: str
    name: str
    kind: str
    organization_id: int | None
    status: str
    receiver_public_key: bytes = field(repr=False)
    connected: bool
    capabilities: tuple[str, ...] = ()
    version: str = ""
    hostname: str = ""
    platform: str = ""
    last_seen_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRecord:
    """A node of an agent's server, as the last inventory has it. ``lost``: no longer reported."""

    agent_id: str
    server: str
    server_kind: str
    node: ServerNode
    lost: bool
