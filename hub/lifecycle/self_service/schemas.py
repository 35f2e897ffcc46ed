"""Bodies of self-service over JSON."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from hub.lifecycle.passphrases import MAX_LENGTH
from hub.lifecycle.self_service.service import Credentials
from pki.crls import RevocationReason
from pki.download_formats import DownloadFormat

_LARGEST_ID = 10**18


class CredentialsBody(BaseModel):
    """Id and passphrase of a certificate."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    certificate_id: int = Field(ge=1, lt=_LARGEST_ID)
    passphrase: str = Field(min_length=1, max_length=MAX_LENGTH, json_schema_extra={"writeOnly": True})

    def shown(self) -> Credentials:
        """Return them as the service takes them."""
        return Credentials(certificate_id=self.certificate_id, passphrase=self.passphrase)


class SelfRenewBody(CredentialsBody):
    """Renew with the same information and key pair."""

    agreement_accepted: bool = False


class SelfDownloadBody(CredentialsBody):
    """Fetch the certificate."""

    format: DownloadFormat = DownloadFormat.WITH_ISSUERS_AFTER


class SelfRevokeBody(CredentialsBody):
    """Revoke the certificate."""

    reason: RevocationReason = RevocationReason.UNSPECIFIED
    comments: str = Field(min_length=1, max_length=4000)
