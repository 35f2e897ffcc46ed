"""Tables of signing in: what is pending, second factors, identity providers, bound certificates, rules."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from hub.db.base import Base

_ADMINISTRATOR = "administrators.id"
_PROVIDER = "identity_providers.id"


class PendingSignIn(Base):
    """A sign-in that is under way. The browser holds the token; here is its SHA-256."""

    __tablename__ = "pending_sign_ins"

    token_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    state: Mapped[str] = mapped_column(String(16))
    # Unknown while the person is at the identity provider, or a passkey has yet to say who it is.
    administrator_id: Mapped[int | None] = mapped_column(
        ForeignKey(_ADMINISTRATOR, ondelete="CASCADE"), index=True
    )
    methods: Mapped[list[str]]
    provider_id: Mapped[int | None] = mapped_column(ForeignKey(_PROVIDER, ondelete="CASCADE"))
    # Id of the SAML request, or state of the OIDC one: the answer names it.
    request_id: Mapped[str | None] = mapped_column(String(64), unique=True)
    # What the answer is checked against: nonce and PKCE verifier.
    request: Mapped[dict[str, Any]]
    # Of the code given to the browser that brought the answer; only both together go on.
    handoff_sha256: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class TotpSecret(Base):
    """The shared secret of an authenticator app (RFC 6238), encrypted."""

    __tablename__ = "totp_secrets"

    administrator_id: Mapped[int] = mapped_column(
        ForeignKey(_ADMINISTRATOR, ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    # Not asked for until a code has shown that the app has it.
    confirmed_at: Mapped[datetime | None]
    # The last time step that was used: neither it nor an older one is taken again.
    last_step: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime]


class RecoveryCode(Base):
    """A code for when the second factor is lost; works once."""

    __tablename__ = "recovery_codes"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    administrator_id: Mapped[int] = mapped_column(ForeignKey(_ADMINISTRATOR, ondelete="CASCADE"), index=True)
    used_at: Mapped[datetime | None]


class Passkey(Base):
    """A WebAuthn credential of an administrator."""

    __tablename__ = "passkeys"

    id: Mapped[int] = mapped_column(primary_key=True)
    administrator_id: Mapped[int] = mapped_column(ForeignKey(_ADMINISTRATOR, ondelete="CASCADE"), index=True)
    credential_id: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(String(64))
    transports: Mapped[list[str]]
    aaguid: Mapped[str] = mapped_column(String(36))
    backed_up: Mapped[bool]
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]


class WebauthnChallenge(Base):
    """A challenge given out; taken back, it is deleted, so it is good once."""

    __tablename__ = "webauthn_challenges"

    # SHA-256 of the session's or pending sign-in's token, and what it is for.
    owner: Mapped[str] = mapped_column(String(64), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(16), primary_key=True)
    challenge: Mapped[bytes] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class ClientCertificateBinding(Base):
    """A client certificate, or an issuer and subject, with which an administrator may sign in."""

    __tablename__ = "client_certificate_bindings"

    id: Mapped[int] = mapped_column(primary_key=True)
    administrator_id: Mapped[int] = mapped_column(ForeignKey(_ADMINISTRATOR, ondelete="CASCADE"), index=True)
    sha256: Mapped[str | None] = mapped_column(String(64), unique=True)
    issuer: Mapped[str] = mapped_column(String(1024))
    subject: Mapped[str] = mapped_column(String(1024), index=True)
    # Of a bound certificate; of a rule there is none.
    not_after: Mapped[datetime | None]
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class IdentityProvider(Base):
    """An identity provider that people sign in with: SAML 2.0 or OpenID Connect."""

    __tablename__ = "identity_providers"

    id: Mapped[int] = mapped_column(primary_key=True)
    # Part of addresses that the provider is told; does not change.
    name: Mapped[str] = mapped_column(String(32), unique=True)
    kind: Mapped[str] = mapped_column(String(8))
    label: Mapped[str] = mapped_column(String(64))
    active: Mapped[bool] = mapped_column(default=True)
    settings: Mapped[dict[str, Any]]
    # The OIDC client secret, encrypted.
    secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]


class FederatedIdentity(Base):
    """That somebody at an identity provider is an administrator here."""

    __tablename__ = "federated_identities"
    __table_args__ = (UniqueConstraint("provider_id", "subject"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    provider_id: Mapped[int] = mapped_column(ForeignKey(_PROVIDER, ondelete="CASCADE"))
    subject: Mapped[str] = mapped_column(String(512))
    administrator_id: Mapped[int] = mapped_column(ForeignKey(_ADMINISTRATOR, ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]


class SeenAssertion(Base):
    """A SAML assertion that was used; kept until it would have expired anyway."""

    __tablename__ = "seen_assertions"

    provider_id: Mapped[int] = mapped_column(
        ForeignKey(_PROVIDER, ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    assertion_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class AccessRule(Base):
    """A network from which administrators may come."""

    __tablename__ = "access_rules"

    id: Mapped[int] = mapped_column(primary_key=True)
    # "all", "mrao" or "rao_drao"
    applies_to: Mapped[str] = mapped_column(String(8))
    network: Mapped[str] = mapped_column(String(49))
    note: Mapped[str] = mapped_column(String(200))
