import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SignedCommand(_message.Message):
    __slots__ = ("envelope", "signature", "signer_certificate")
    ENVELOPE_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    SIGNER_CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    envelope: bytes
    signature: bytes
    signer_certificate: bytes
    def __init__(self, envelope: _Optional[bytes] = ..., signature: _Optional[bytes] = ..., signer_certificate: _Optional[bytes] = ...) -> None: ...

class CommandEnvelope(_message.Message):
    __slots__ = ("command_id", "agent_id", "issued_at", "deadline", "discover_network", "discover_servers", "generate_certificate", "store_certificate", "install_certificate", "export_key", "delete_key", "check_domain_control", "restart_server", "export_key_file", "import_key", "serve_challenge", "withdraw_challenge")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    AGENT_ID_FIELD_NUMBER: _ClassVar[int]
    ISSUED_AT_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_FIELD_NUMBER: _ClassVar[int]
    DISCOVER_NETWORK_FIELD_NUMBER: _ClassVar[int]
    DISCOVER_SERVERS_FIELD_NUMBER: _ClassVar[int]
    GENERATE_CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    STORE_CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    INSTALL_CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    EXPORT_KEY_FIELD_NUMBER: _ClassVar[int]
    DELETE_KEY_FIELD_NUMBER: _ClassVar[int]
    CHECK_DOMAIN_CONTROL_FIELD_NUMBER: _ClassVar[int]
    RESTART_SERVER_FIELD_NUMBER: _ClassVar[int]
    EXPORT_KEY_FILE_FIELD_NUMBER: _ClassVar[int]
    IMPORT_KEY_FIELD_NUMBER: _ClassVar[int]
    SERVE_CHALLENGE_FIELD_NUMBER: _ClassVar[int]
    WITHDRAW_CHALLENGE_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    agent_id: str
    issued_at: _timestamp_pb2.Timestamp
    deadline: _timestamp_pb2.Timestamp
    discover_network: DiscoverNetwork
    discover_servers: DiscoverServers
    generate_certificate: GenerateCertificate
    store_certificate: StoreCertificate
    install_certificate: InstallCertificate
    export_key: ExportKey
    delete_key: DeleteKey
    check_domain_control: CheckDomainControl
    restart_server: RestartServer
    export_key_file: ExportKeyFile
    import_key: ImportKey
    serve_challenge: ServeChallenge
    withdraw_challenge: WithdrawChallenge
    def __init__(self, command_id: _Optional[str] = ..., agent_id: _Optional[str] = ..., issued_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., deadline: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., discover_network: _Optional[_Union[DiscoverNetwork, _Mapping]] = ..., discover_servers: _Optional[_Union[DiscoverServers, _Mapping]] = ..., generate_certificate: _Optional[_Union[GenerateCertificate, _Mapping]] = ..., store_certificate: _Optional[_Union[StoreCertificate, _Mapping]] = ..., install_certificate: _Optional[_Union[InstallCertificate, _Mapping]] = ..., export_key: _Optional[_Union[ExportKey, _Mapping]] = ..., delete_key: _Optional[_Union[DeleteKey, _Mapping]] = ..., check_domain_control: _Optional[_Union[CheckDomainControl, _Mapping]] = ..., restart_server: _Optional[_Union[RestartServer, _Mapping]] = ..., export_key_file: _Optional[_Union[ExportKeyFile, _Mapping]] = ..., import_key: _Optional[_Union[ImportKey, _Mapping]] = ..., serve_challenge: _Optional[_Union[ServeChallenge, _Mapping]] = ..., withdraw_challenge: _Optional[_Union[WithdrawChallenge, _Mapping]] = ...) -> None: ...

class CommandResult(_message.Message):
    __slots__ = ("network_discovered", "server_inventory", "certificate_generated", "certificate_stored", "certificate_installed", "key_exported", "key_deleted", "domain_control_seen", "server_restarted", "key_file_exported", "key_imported", "challenge_served", "challenge_withdrawn")
    NETWORK_DISCOVERED_FIELD_NUMBER: _ClassVar[int]
    SERVER_INVENTORY_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_GENERATED_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_STORED_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_INSTALLED_FIELD_NUMBER: _ClassVar[int]
    KEY_EXPORTED_FIELD_NUMBER: _ClassVar[int]
    KEY_DELETED_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_CONTROL_SEEN_FIELD_NUMBER: _ClassVar[int]
    SERVER_RESTARTED_FIELD_NUMBER: _ClassVar[int]
    KEY_FILE_EXPORTED_FIELD_NUMBER: _ClassVar[int]
    KEY_IMPORTED_FIELD_NUMBER: _ClassVar[int]
    CHALLENGE_SERVED_FIELD_NUMBER: _ClassVar[int]
    CHALLENGE_WITHDRAWN_FIELD_NUMBER: _ClassVar[int]
    network_discovered: NetworkDiscovered
    server_inventory: ServerInventory
    certificate_generated: CertificateGenerated
    certificate_stored: CertificateStored
    certificate_installed: CertificateInstalled
    key_exported: KeyExported
    key_deleted: KeyDeleted
    domain_control_seen: DomainControlSeen
    server_restarted: ServerRestarted
    key_file_exported: KeyFileExported
    key_imported: KeyImported
    challenge_served: ChallengeServed
    challenge_withdrawn: ChallengeWithdrawn
    def __init__(self, network_discovered: _Optional[_Union[NetworkDiscovered, _Mapping]] = ..., server_inventory: _Optional[_Union[ServerInventory, _Mapping]] = ..., certificate_generated: _Optional[_Union[CertificateGenerated, _Mapping]] = ..., certificate_stored: _Optional[_Union[CertificateStored, _Mapping]] = ..., certificate_installed: _Optional[_Union[CertificateInstalled, _Mapping]] = ..., key_exported: _Optional[_Union[KeyExported, _Mapping]] = ..., key_deleted: _Optional[_Union[KeyDeleted, _Mapping]] = ..., domain_control_seen: _Optional[_Union[DomainControlSeen, _Mapping]] = ..., server_restarted: _Optional[_Union[ServerRestarted, _Mapping]] = ..., key_file_exported: _Optional[_Union[KeyFileExported, _Mapping]] = ..., key_imported: _Optional[_Union[KeyImported, _Mapping]] = ..., challenge_served: _Optional[_Union[ChallengeServed, _Mapping]] = ..., challenge_withdrawn: _Optional[_Union[ChallengeWithdrawn, _Mapping]] = ...) -> None: ...

class DiscoverNetwork(_message.Message):
    __slots__ = ("ranges", "exclusions", "connects_per_second", "concurrency", "timeout_ms")
    RANGES_FIELD_NUMBER: _ClassVar[int]
    EXCLUSIONS_FIELD_NUMBER: _ClassVar[int]
    CONNECTS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    CONCURRENCY_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    ranges: _containers.RepeatedCompositeFieldContainer[ScanRange]
    exclusions: _containers.RepeatedScalarFieldContainer[str]
    connects_per_second: int
    concurrency: int
    timeout_ms: int
    def __init__(self, ranges: _Optional[_Iterable[_Union[ScanRange, _Mapping]]] = ..., exclusions: _Optional[_Iterable[str]] = ..., connects_per_second: _Optional[int] = ..., concurrency: _Optional[int] = ..., timeout_ms: _Optional[int] = ...) -> None: ...

class ScanRange(_message.Message):
    __slots__ = ("target", "ports")
    TARGET_FIELD_NUMBER: _ClassVar[int]
    PORTS_FIELD_NUMBER: _ClassVar[int]
    target: str
    ports: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, target: _Optional[str] = ..., ports: _Optional[_Iterable[str]] = ...) -> None: ...

class NetworkFinds(_message.Message):
    __slots__ = ("certificates", "endpoints", "cursor", "targets_done", "targets_total")
    CERTIFICATES_FIELD_NUMBER: _ClassVar[int]
    ENDPOINTS_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    TARGETS_DONE_FIELD_NUMBER: _ClassVar[int]
    TARGETS_TOTAL_FIELD_NUMBER: _ClassVar[int]
    certificates: _containers.RepeatedScalarFieldContainer[bytes]
    endpoints: _containers.RepeatedCompositeFieldContainer[Endpoint]
    cursor: int
    targets_done: int
    targets_total: int
    def __init__(self, certificates: _Optional[_Iterable[bytes]] = ..., endpoints: _Optional[_Iterable[_Union[Endpoint, _Mapping]]] = ..., cursor: _Optional[int] = ..., targets_done: _Optional[int] = ..., targets_total: _Optional[int] = ...) -> None: ...

class Endpoint(_message.Message):
    __slots__ = ("address", "port", "server_name", "chain_sha256", "status", "reason", "protocol", "hostname", "seen_at", "partial")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    PORT_FIELD_NUMBER: _ClassVar[int]
    SERVER_NAME_FIELD_NUMBER: _ClassVar[int]
    CHAIN_SHA256_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    HOSTNAME_FIELD_NUMBER: _ClassVar[int]
    SEEN_AT_FIELD_NUMBER: _ClassVar[int]
    PARTIAL_FIELD_NUMBER: _ClassVar[int]
    address: str
    port: int
    server_name: str
    chain_sha256: _containers.RepeatedScalarFieldContainer[bytes]
    status: str
    reason: str
    protocol: str
    hostname: str
    seen_at: _timestamp_pb2.Timestamp
    partial: bool
    def __init__(self, address: _Optional[str] = ..., port: _Optional[int] = ..., server_name: _Optional[str] = ..., chain_sha256: _Optional[_Iterable[bytes]] = ..., status: _Optional[str] = ..., reason: _Optional[str] = ..., protocol: _Optional[str] = ..., hostname: _Optional[str] = ..., seen_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., partial: _Optional[bool] = ...) -> None: ...

class NetworkDiscovered(_message.Message):
    __slots__ = ("targets", "open", "closed", "silent", "certificates")
    TARGETS_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    CLOSED_FIELD_NUMBER: _ClassVar[int]
    SILENT_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATES_FIELD_NUMBER: _ClassVar[int]
    targets: int
    open: int
    closed: int
    silent: int
    certificates: int
    def __init__(self, targets: _Optional[int] = ..., open: _Optional[int] = ..., closed: _Optional[int] = ..., silent: _Optional[int] = ..., certificates: _Optional[int] = ...) -> None: ...

class DiscoverServers(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ServerInventory(_message.Message):
    __slots__ = ("servers",)
    SERVERS_FIELD_NUMBER: _ClassVar[int]
    servers: _containers.RepeatedCompositeFieldContainer[Server]
    def __init__(self, servers: _Optional[_Iterable[_Union[Server, _Mapping]]] = ...) -> None: ...

class Server(_message.Message):
    __slots__ = ("name", "kind", "version", "nodes", "problem")
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NODES_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    name: str
    kind: str
    version: str
    nodes: _containers.RepeatedCompositeFieldContainer[ServerNode]
    problem: str
    def __init__(self, name: _Optional[str] = ..., kind: _Optional[str] = ..., version: _Optional[str] = ..., nodes: _Optional[_Iterable[_Union[ServerNode, _Mapping]]] = ..., problem: _Optional[str] = ...) -> None: ...

class ServerNode(_message.Message):
    __slots__ = ("id", "names", "ports", "certificate_path", "key_path", "location", "manageable", "problem")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    PORTS_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_PATH_FIELD_NUMBER: _ClassVar[int]
    KEY_PATH_FIELD_NUMBER: _ClassVar[int]
    LOCATION_FIELD_NUMBER: _ClassVar[int]
    MANAGEABLE_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    id: str
    names: _containers.RepeatedScalarFieldContainer[str]
    ports: _containers.RepeatedCompositeFieldContainer[NodePort]
    certificate_path: str
    key_path: str
    location: str
    manageable: bool
    problem: str
    def __init__(self, id: _Optional[str] = ..., names: _Optional[_Iterable[str]] = ..., ports: _Optional[_Iterable[_Union[NodePort, _Mapping]]] = ..., certificate_path: _Optional[str] = ..., key_path: _Optional[str] = ..., location: _Optional[str] = ..., manageable: _Optional[bool] = ..., problem: _Optional[str] = ...) -> None: ...

class NodePort(_message.Message):
    __slots__ = ("address", "port", "protocol", "certificate_sha256")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    PORT_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_SHA256_FIELD_NUMBER: _ClassVar[int]
    address: str
    port: int
    protocol: str
    certificate_sha256: bytes
    def __init__(self, address: _Optional[str] = ..., port: _Optional[int] = ..., protocol: _Optional[str] = ..., certificate_sha256: _Optional[bytes] = ...) -> None: ...

class GenerateCertificate(_message.Message):
    __slots__ = ("key_id", "key_type", "common_name", "dns_names", "ip_addresses", "subject", "reuse_key")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_TYPE_FIELD_NUMBER: _ClassVar[int]
    COMMON_NAME_FIELD_NUMBER: _ClassVar[int]
    DNS_NAMES_FIELD_NUMBER: _ClassVar[int]
    IP_ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    REUSE_KEY_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    key_type: str
    common_name: str
    dns_names: _containers.RepeatedScalarFieldContainer[str]
    ip_addresses: _containers.RepeatedScalarFieldContainer[str]
    subject: SubjectFields
    reuse_key: bool
    def __init__(self, key_id: _Optional[str] = ..., key_type: _Optional[str] = ..., common_name: _Optional[str] = ..., dns_names: _Optional[_Iterable[str]] = ..., ip_addresses: _Optional[_Iterable[str]] = ..., subject: _Optional[_Union[SubjectFields, _Mapping]] = ..., reuse_key: _Optional[bool] = ...) -> None: ...

class SubjectFields(_message.Message):
    __slots__ = ("organization", "organizational_unit", "locality", "state", "country")
    ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATIONAL_UNIT_FIELD_NUMBER: _ClassVar[int]
    LOCALITY_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    organization: str
    organizational_unit: str
    locality: str
    state: str
    country: str
    def __init__(self, organization: _Optional[str] = ..., organizational_unit: _Optional[str] = ..., locality: _Optional[str] = ..., state: _Optional[str] = ..., country: _Optional[str] = ...) -> None: ...

class CertificateGenerated(_message.Message):
    __slots__ = ("key_id", "csr", "spki_sha256")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    CSR_FIELD_NUMBER: _ClassVar[int]
    SPKI_SHA256_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    csr: bytes
    spki_sha256: bytes
    def __init__(self, key_id: _Optional[str] = ..., csr: _Optional[bytes] = ..., spki_sha256: _Optional[bytes] = ...) -> None: ...

class StoreCertificate(_message.Message):
    __slots__ = ("key_id", "chain", "sealed_key")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    CHAIN_FIELD_NUMBER: _ClassVar[int]
    SEALED_KEY_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    chain: _containers.RepeatedScalarFieldContainer[bytes]
    sealed_key: SealedKey
    def __init__(self, key_id: _Optional[str] = ..., chain: _Optional[_Iterable[bytes]] = ..., sealed_key: _Optional[_Union[SealedKey, _Mapping]] = ...) -> None: ...

class CertificateStored(_message.Message):
    __slots__ = ("key_id", "certificate_sha256")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_SHA256_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    certificate_sha256: bytes
    def __init__(self, key_id: _Optional[str] = ..., certificate_sha256: _Optional[bytes] = ...) -> None: ...

class InstallCertificate(_message.Message):
    __slots__ = ("key_id", "certificate_sha256", "targets", "dry_run")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_SHA256_FIELD_NUMBER: _ClassVar[int]
    TARGETS_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    certificate_sha256: bytes
    targets: _containers.RepeatedCompositeFieldContainer[InstallTarget]
    dry_run: bool
    def __init__(self, key_id: _Optional[str] = ..., certificate_sha256: _Optional[bytes] = ..., targets: _Optional[_Iterable[_Union[InstallTarget, _Mapping]]] = ..., dry_run: _Optional[bool] = ...) -> None: ...

class InstallTarget(_message.Message):
    __slots__ = ("server", "node_id")
    SERVER_FIELD_NUMBER: _ClassVar[int]
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    server: str
    node_id: str
    def __init__(self, server: _Optional[str] = ..., node_id: _Optional[str] = ...) -> None: ...

class CertificateInstalled(_message.Message):
    __slots__ = ("outcomes",)
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    outcomes: _containers.RepeatedCompositeFieldContainer[InstallOutcome]
    def __init__(self, outcomes: _Optional[_Iterable[_Union[InstallOutcome, _Mapping]]] = ...) -> None: ...

class InstallOutcome(_message.Message):
    __slots__ = ("server", "node_id", "status", "reason", "message", "served", "rolled_back", "steps")
    SERVER_FIELD_NUMBER: _ClassVar[int]
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    SERVED_FIELD_NUMBER: _ClassVar[int]
    ROLLED_BACK_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    server: str
    node_id: str
    status: str
    reason: str
    message: str
    served: _containers.RepeatedCompositeFieldContainer[NodePort]
    rolled_back: bool
    steps: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, server: _Optional[str] = ..., node_id: _Optional[str] = ..., status: _Optional[str] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ..., served: _Optional[_Iterable[_Union[NodePort, _Mapping]]] = ..., rolled_back: _Optional[bool] = ..., steps: _Optional[_Iterable[str]] = ...) -> None: ...

class ExportKey(_message.Message):
    __slots__ = ("key_id", "receiver_public_key", "receiver_agent_id")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    RECEIVER_PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    RECEIVER_AGENT_ID_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    receiver_public_key: bytes
    receiver_agent_id: str
    def __init__(self, key_id: _Optional[str] = ..., receiver_public_key: _Optional[bytes] = ..., receiver_agent_id: _Optional[str] = ...) -> None: ...

class KeyExported(_message.Message):
    __slots__ = ("sealed_key",)
    SEALED_KEY_FIELD_NUMBER: _ClassVar[int]
    sealed_key: SealedKey
    def __init__(self, sealed_key: _Optional[_Union[SealedKey, _Mapping]] = ...) -> None: ...

class SealedKey(_message.Message):
    __slots__ = ("envelope", "spki_sha256", "sender_agent_id")
    ENVELOPE_FIELD_NUMBER: _ClassVar[int]
    SPKI_SHA256_FIELD_NUMBER: _ClassVar[int]
    SENDER_AGENT_ID_FIELD_NUMBER: _ClassVar[int]
    envelope: bytes
    spki_sha256: bytes
    sender_agent_id: str
    def __init__(self, envelope: _Optional[bytes] = ..., spki_sha256: _Optional[bytes] = ..., sender_agent_id: _Optional[str] = ...) -> None: ...

class DeleteKey(_message.Message):
    __slots__ = ("key_id",)
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    def __init__(self, key_id: _Optional[str] = ...) -> None: ...

class KeyDeleted(_message.Message):
    __slots__ = ("key_id",)
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    def __init__(self, key_id: _Optional[str] = ...) -> None: ...

class RestartServer(_message.Message):
    __slots__ = ("server", "node_ids", "certificate_sha256")
    SERVER_FIELD_NUMBER: _ClassVar[int]
    NODE_IDS_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_SHA256_FIELD_NUMBER: _ClassVar[int]
    server: str
    node_ids: _containers.RepeatedScalarFieldContainer[str]
    certificate_sha256: bytes
    def __init__(self, server: _Optional[str] = ..., node_ids: _Optional[_Iterable[str]] = ..., certificate_sha256: _Optional[bytes] = ...) -> None: ...

class ServerRestarted(_message.Message):
    __slots__ = ("outcomes",)
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    outcomes: _containers.RepeatedCompositeFieldContainer[InstallOutcome]
    def __init__(self, outcomes: _Optional[_Iterable[_Union[InstallOutcome, _Mapping]]] = ...) -> None: ...

class ExportKeyFile(_message.Message):
    __slots__ = ("key_id", "chain", "format", "receiver_public_key", "download_id")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    CHAIN_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    RECEIVER_PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    DOWNLOAD_ID_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    chain: _containers.RepeatedScalarFieldContainer[bytes]
    format: str
    receiver_public_key: bytes
    download_id: str
    def __init__(self, key_id: _Optional[str] = ..., chain: _Optional[_Iterable[bytes]] = ..., format: _Optional[str] = ..., receiver_public_key: _Optional[bytes] = ..., download_id: _Optional[str] = ...) -> None: ...

class KeyFileExported(_message.Message):
    __slots__ = ("envelope", "download_id")
    ENVELOPE_FIELD_NUMBER: _ClassVar[int]
    DOWNLOAD_ID_FIELD_NUMBER: _ClassVar[int]
    envelope: bytes
    download_id: str
    def __init__(self, envelope: _Optional[bytes] = ..., download_id: _Optional[str] = ...) -> None: ...

class ImportKey(_message.Message):
    __slots__ = ("key_id", "chain", "envelope")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    CHAIN_FIELD_NUMBER: _ClassVar[int]
    ENVELOPE_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    chain: _containers.RepeatedScalarFieldContainer[bytes]
    envelope: bytes
    def __init__(self, key_id: _Optional[str] = ..., chain: _Optional[_Iterable[bytes]] = ..., envelope: _Optional[bytes] = ...) -> None: ...

class KeyImported(_message.Message):
    __slots__ = ("key_id", "certificate_sha256")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_SHA256_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    certificate_sha256: bytes
    def __init__(self, key_id: _Optional[str] = ..., certificate_sha256: _Optional[bytes] = ...) -> None: ...

class CheckDomainControl(_message.Message):
    __slots__ = ("domain", "method", "name", "urls", "timeout_ms")
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    URLS_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    domain: str
    method: str
    name: str
    urls: _containers.RepeatedScalarFieldContainer[str]
    timeout_ms: int
    def __init__(self, domain: _Optional[str] = ..., method: _Optional[str] = ..., name: _Optional[str] = ..., urls: _Optional[_Iterable[str]] = ..., timeout_ms: _Optional[int] = ...) -> None: ...

class DomainControlSeen(_message.Message):
    __slots__ = ("values", "trail", "reason", "message", "authenticated", "seen_at")
    VALUES_FIELD_NUMBER: _ClassVar[int]
    TRAIL_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    AUTHENTICATED_FIELD_NUMBER: _ClassVar[int]
    SEEN_AT_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedScalarFieldContainer[str]
    trail: _containers.RepeatedScalarFieldContainer[str]
    reason: str
    message: str
    authenticated: bool
    seen_at: _timestamp_pb2.Timestamp
    def __init__(self, values: _Optional[_Iterable[str]] = ..., trail: _Optional[_Iterable[str]] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ..., authenticated: _Optional[bool] = ..., seen_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ServeChallenge(_message.Message):
    __slots__ = ("key", "method", "identifier", "token", "key_authorization", "lifetime_s")
    KEY_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    KEY_AUTHORIZATION_FIELD_NUMBER: _ClassVar[int]
    LIFETIME_S_FIELD_NUMBER: _ClassVar[int]
    key: str
    method: str
    identifier: str
    token: str
    key_authorization: str
    lifetime_s: int
    def __init__(self, key: _Optional[str] = ..., method: _Optional[str] = ..., identifier: _Optional[str] = ..., token: _Optional[str] = ..., key_authorization: _Optional[str] = ..., lifetime_s: _Optional[int] = ...) -> None: ...

class ChallengeServed(_message.Message):
    __slots__ = ("key", "where")
    KEY_FIELD_NUMBER: _ClassVar[int]
    WHERE_FIELD_NUMBER: _ClassVar[int]
    key: str
    where: str
    def __init__(self, key: _Optional[str] = ..., where: _Optional[str] = ...) -> None: ...

class WithdrawChallenge(_message.Message):
    __slots__ = ("key",)
    KEY_FIELD_NUMBER: _ClassVar[int]
    key: str
    def __init__(self, key: _Optional[str] = ...) -> None: ...

class ChallengeWithdrawn(_message.Message):
    __slots__ = ("key",)
    KEY_FIELD_NUMBER: _ClassVar[int]
    key: str
    def __init__(self, key: _Optional[str] = ...) -> None: ...
