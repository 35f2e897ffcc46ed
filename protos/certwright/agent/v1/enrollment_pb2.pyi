import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AgentFacts(_message.Message):
    __slots__ = ("kind", "version", "hostname", "platform", "capabilities", "receiver_public_key")
    KIND_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    HOSTNAME_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    RECEIVER_PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    kind: str
    version: str
    hostname: str
    platform: str
    capabilities: _containers.RepeatedScalarFieldContainer[str]
    receiver_public_key: bytes
    def __init__(self, kind: _Optional[str] = ..., version: _Optional[str] = ..., hostname: _Optional[str] = ..., platform: _Optional[str] = ..., capabilities: _Optional[_Iterable[str]] = ..., receiver_public_key: _Optional[bytes] = ...) -> None: ...

class EnrollRequest(_message.Message):
    __slots__ = ("token_secret", "csr", "facts", "name")
    TOKEN_SECRET_FIELD_NUMBER: _ClassVar[int]
    CSR_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    token_secret: str
    csr: bytes
    facts: AgentFacts
    name: str
    def __init__(self, token_secret: _Optional[str] = ..., csr: _Optional[bytes] = ..., facts: _Optional[_Union[AgentFacts, _Mapping]] = ..., name: _Optional[str] = ...) -> None: ...

class EnrollResponse(_message.Message):
    __slots__ = ("agent_id", "certificate", "agent_ca", "control_address", "enrollment_address", "organization")
    AGENT_ID_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    AGENT_CA_FIELD_NUMBER: _ClassVar[int]
    CONTROL_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    ENROLLMENT_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    agent_id: str
    certificate: bytes
    agent_ca: bytes
    control_address: str
    enrollment_address: str
    organization: str
    def __init__(self, agent_id: _Optional[str] = ..., certificate: _Optional[bytes] = ..., agent_ca: _Optional[bytes] = ..., control_address: _Optional[str] = ..., enrollment_address: _Optional[str] = ..., organization: _Optional[str] = ...) -> None: ...

class BeginRejoinRequest(_message.Message):
    __slots__ = ("agent_id",)
    AGENT_ID_FIELD_NUMBER: _ClassVar[int]
    agent_id: str
    def __init__(self, agent_id: _Optional[str] = ...) -> None: ...

class BeginRejoinResponse(_message.Message):
    __slots__ = ("challenge", "expires_at")
    CHALLENGE_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    challenge: bytes
    expires_at: _timestamp_pb2.Timestamp
    def __init__(self, challenge: _Optional[bytes] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CompleteRejoinRequest(_message.Message):
    __slots__ = ("agent_id", "challenge", "signature", "facts")
    AGENT_ID_FIELD_NUMBER: _ClassVar[int]
    CHALLENGE_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    agent_id: str
    challenge: bytes
    signature: bytes
    facts: AgentFacts
    def __init__(self, agent_id: _Optional[str] = ..., challenge: _Optional[bytes] = ..., signature: _Optional[bytes] = ..., facts: _Optional[_Union[AgentFacts, _Mapping]] = ...) -> None: ...
