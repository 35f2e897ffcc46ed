"""Bodies and answers of the routes about private keys."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from hub.lifecycle.key_download import DownloadWish
from hub.lifecycle.key_transfers import Transfer
from hub.lifecycle.key_upload import Receiver
from pki.key_files import KeyFileFormat
from pki.sealing import receiver_fingerprint


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class KeyDownloadBody(_Body):
    """A private key as a file, sealed to a receiver."""

    receiver_public_key: str = Field(
        min_length=44, max_length=44, description="Raw X25519 public key in base64."
    )
    format: KeyFileFormat = Field(
        default=KeyFileFormat.PKCS12,
        description="`pkcs12`, `pkcs12_legacy` for Windows before Server 2019, or `pem`.",
    )

    def typed(self) -> DownloadWish:
        """Return it as the lifecycle takes it."""
        return DownloadWish(receiver_public_key=self.receiver_public_key, format=self.format)


class KeyUploadBody(_Body):
    """A private key, sealed to the agent that is to keep it."""

    agent_id: str = Field(max_length=36)
    envelope: str = Field(max_length=700_000, description="Base64.")


class ReceiverQuery(BaseModel):
    """Which agent."""

    agent_id: str = Field(default="", max_length=36)


class ConfirmQuery(BaseModel):
    """The certificate's common name, to confirm."""

    confirm: str = Field(default="", max_length=255)


class KeyTransferView(BaseModel):
    """A key transfer; ``envelope`` only once, to who asked for it."""

    id: str
    kind: str
    certificate_id: int
    agent_id: str
    certificate_sha256: str
    format: str
    receiver_fingerprint: str
    state: str
    reason: str
    message: str
    requested_by: str
    created_at: datetime
    expires_at: datetime
    envelope: str | None = Field(description="Base64.")

    @classmethod
    def of(cls, transfer: Transfer) -> KeyTransferView:
        """Return a transfer as the API shows it."""
        values = {name: getattr(transfer, name) for name in Transfer.__slots__ if name != "envelope"}
        envelope = b64encode(transfer.envelope).decode() if transfer.envelope is not None else None
        return cls(**values, envelope=envelope)


class ReceiverView(BaseModel):
    """To whom a key is sealed, and for which certificate."""

    agent_id: str
    agent_name: str
    connected: bool
    receiver_public_key: str = Field(description="Raw X25519 public key in base64.")
    receiver_fingerprint: str = Field(description="As `certwright-agent status` prints it on the host.")
    certificate_sha256: str

    @classmethod
    def of(cls, receiver: Receiver) -> ReceiverView:
        """Return a receiver as the API shows it."""
        agent = receiver.agent
        return cls(
            agent_id=agent.id,
            agent_name=agent.name,
            connected=agent.connected,
            receiver_public_key=b64encode(agent.receiver_public_key).decode(),
            receiver_fingerprint=receiver_fingerprint(agent.receiver_public_key),
            certificate_sha256=receiver.certificate_sha256,
        )
