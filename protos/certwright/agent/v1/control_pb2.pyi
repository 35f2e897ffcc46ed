import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from certwright.agent.v1 import commands_pb2 as _commands_pb2
from certwright.agent.v1 import enrollment_pb2 as _enrollment_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AgentMessage(_message.Message):
    __slots__ = ("hello", "heartbeat", "accepted", "progress", "batch", "done", "identity_request", "inventory")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_REQUEST_FIELD_NUMBER: _ClassVar[int]
    INVENTORY_FIELD_NUMBER: _ClassVar[int]
    hello: AgentHello
    heartbeat: Heartbeat
    accepted: CommandAccepted
    progress: CommandProgress
    batch: ResultBatch
    done: CommandDone
    identity_request: IdentityRequest
    inventory: _commands_pb2.ServerInventory
    def __init__(self, hello: _Optional[_Union[AgentHello, _Mapping]] = ..., heartbeat: _Optional[_Union[Heartbeat, _Mapping]] = ..., accepted: _Optional[_Union[CommandAccepted, _Mapping]] = ..., progress: _Optional[_Union[CommandProgress, _Mapping]] = ..., batch: _Optional[_Union[ResultBatch, _Mapping]] = ..., done: _Optional[_Union[CommandDone, _Mapping]] = ..., identity_request: _Optional[_Union[IdentityRequest, _Mapping]] = ..., inventory: _Optional[_Union[_commands_pb2.ServerInventory, _Mapping]] = ...) -> None: ...

class HubMessage(_message.Message):
    __slots__ = ("hello", "command", "cancel", "batch_committed", "done_committed", "renew_identity", "identity_issued", "configure", "heartbeat")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    COMMAND_FIELD_NUMBER: _ClassVar[int]
    CANCEL_FIELD_NUMBER: _ClassVar[int]
    BATCH_COMMITTED_FIELD_NUMBER: _ClassVar[int]
    DONE_COMMITTED_FIELD_NUMBER: _ClassVar[int]
    RENEW_IDENTITY_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_ISSUED_FIELD_NUMBER: _ClassVar[int]
    CONFIGURE_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    hello: HubHello
    command: _commands_pb2.SignedCommand
    cancel: CancelCommand
    batch_committed: BatchCommitted
    done_committed: DoneCommitted
    renew_identity: RenewIdentity
    identity_issued: IdentityIssued
    configure: Configure
    heartbeat: Heartbeat
    def __init__(self, hello: _Optional[_Union[HubHello, _Mapping]] = ..., command: _Optional[_Union[_commands_pb2.SignedCommand, _Mapping]] = ..., cancel: _Optional[_Union[CancelCommand, _Mapping]] = ..., batch_committed: _Optional[_Union[BatchCommitted, _Mapping]] = ..., done_committed: _Optional[_Union[DoneCommitted, _Mapping]] = ..., renew_identity: _Optional[_Union[RenewIdentity, _Mapping]] = ..., identity_issued: _Optional[_Union[IdentityIssued, _Mapping]] = ..., configure: _Optional[_Union[Configure, _Mapping]] = ..., heartbeat: _Optional[_Union[Heartbeat, _Mapping]] = ...) -> None: ...

class AgentHello(_message.Message):
    __slots__ = ("facts", "running_command_ids", "command_credits")
    FACTS_FIELD_NUMBER: _ClassVar[int]
    RUNNING_COMMAND_IDS_FIELD_NUMBER: _ClassVar[int]
    COMMAND_CREDITS_FIELD_NUMBER: _ClassVar[int]
    facts: _enrollment_pb2.AgentFacts
    running_command_ids: _containers.RepeatedScalarFieldContainer[str]
    command_credits: int
    def __init__(self, facts: _Optional[_Union[_enrollment_pb2.AgentFacts, _Mapping]] = ..., running_command_ids: _Optional[_Iterable[str]] = ..., command_credits: _Optional[int] = ...) -> None: ...

class HubHello(_message.Message):
    __slots__ = ("version", "heartbeat_interval_s", "heartbeat_timeout_s", "now", "capabilities")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_INTERVAL_S_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_TIMEOUT_S_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    version: str
    heartbeat_interval_s: int
    heartbeat_timeout_s: int
    now: _timestamp_pb2.Timestamp
    capabilities: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, version: _Optional[str] = ..., heartbeat_interval_s: _Optional[int] = ..., heartbeat_timeout_s: _Optional[int] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., capabilities: _Optional[_Iterable[str]] = ...) -> None: ...

class Heartbeat(_message.Message):
    __slots__ = ("sent_at", "running")
    SENT_AT_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    sent_at: _timestamp_pb2.Timestamp
    running: int
    def __init__(self, sent_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., running: _Optional[int] = ...) -> None: ...

class CommandAccepted(_message.Message):
    __slots__ = ("command_id",)
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    def __init__(self, command_id: _Optional[str] = ...) -> None: ...

class CommandProgress(_message.Message):
    __slots__ = ("command_id", "share", "message")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    SHARE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    share: float
    message: str
    def __init__(self, command_id: _Optional[str] = ..., share: _Optional[float] = ..., message: _Optional[str] = ...) -> None: ...

class ResultBatch(_message.Message):
    __slots__ = ("command_id", "sequence", "network_finds")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    NETWORK_FINDS_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    sequence: int
    network_finds: _commands_pb2.NetworkFinds
    def __init__(self, command_id: _Optional[str] = ..., sequence: _Optional[int] = ..., network_finds: _Optional[_Union[_commands_pb2.NetworkFinds, _Mapping]] = ...) -> None: ...

class CommandDone(_message.Message):
    __slots__ = ("command_id", "result", "failure")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    result: _commands_pb2.CommandResult
    failure: CommandFailure
    def __init__(self, command_id: _Optional[str] = ..., result: _Optional[_Union[_commands_pb2.CommandResult, _Mapping]] = ..., failure: _Optional[_Union[CommandFailure, _Mapping]] = ...) -> None: ...

class CommandFailure(_message.Message):
    __slots__ = ("reason", "message", "retryable")
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    RETRYABLE_FIELD_NUMBER: _ClassVar[int]
    reason: str
    message: str
    retryable: bool
    def __init__(self, reason: _Optional[str] = ..., message: _Optional[str] = ..., retryable: _Optional[bool] = ...) -> None: ...

class BatchCommitted(_message.Message):
    __slots__ = ("command_id", "sequence")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    sequence: int
    def __init__(self, command_id: _Optional[str] = ..., sequence: _Optional[int] = ...) -> None: ...

class DoneCommitted(_message.Message):
    __slots__ = ("command_id",)
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    def __init__(self, command_id: _Optional[str] = ...) -> None: ...

class CancelCommand(_message.Message):
    __slots__ = ("command_id",)
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    def __init__(self, command_id: _Optional[str] = ...) -> None: ...

class RenewIdentity(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class IdentityRequest(_message.Message):
    __slots__ = ("csr",)
    CSR_FIELD_NUMBER: _ClassVar[int]
    csr: bytes
    def __init__(self, csr: _Optional[bytes] = ...) -> None: ...

class IdentityIssued(_message.Message):
    __slots__ = ("certificate", "agent_ca")
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    AGENT_CA_FIELD_NUMBER: _ClassVar[int]
    certificate: bytes
    agent_ca: bytes
    def __init__(self, certificate: _Optional[bytes] = ..., agent_ca: _Optional[bytes] = ...) -> None: ...

class Configure(_message.Message):
    __slots__ = ("name", "heartbeat_interval_s")
    NAME_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_INTERVAL_S_FIELD_NUMBER: _ClassVar[int]
    name: str
    heartbeat_interval_s: int
    def __init__(self, name: _Optional[str] = ..., heartbeat_interval_s: _Optional[int] = ...) -> None: ...
