"""Passkeys (WebAuthn Level 2): registering them, and checking what they sign.

A challenge belongs to one session or one pending sign-in and is deleted when the answer comes, right or
wrong. The relying party is the host of the hub's public address, and only pages of that address count. User
verification is required always, so that a passkey alone is two factors.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import webauthn
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from hub.access.signin.errors import NoSuchPasskey, PasskeyRefused, PasskeysNeedName, PasskeyTaken
from hub.access.signin.models import Passkey, WebauthnChallenge
from hub.db.uow import UnitOfWork
from hub.db.upsert import insert_for

CHALLENGE_LIFETIME = timedelta(minutes=5)
REGISTER, AUTHENTICATE = "register", "authenticate"
_TRANSPORTS = frozenset({"usb", "nfc", "ble", "smart-card", "hybrid", "internal", "cable"})
_MAX_CREDENTIAL_ID = 1023
_NAME = "Certwright"


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Who asks for passkeys: the host name, and the origin of its pages."""

    id: str
    origin: str

    @classmethod
    def of(cls, base_url: str) -> RelyingParty:
        """Return the relying party of an address.

        Raises:
            PasskeysNeedName: browsers don't allow passkeys there.
        """
        parts = urlsplit(base_url)
        host = parts.hostname or ""
        try:
            ipaddress.ip_address(host)
        except ValueError:
            pass
        else:
            raise PasskeysNeedName
        if not host or (parts.scheme != "https" and host != "localhost"):
            raise PasskeysNeedName
        return cls(host, f"{parts.scheme}://{parts.netloc.lower()}")


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose challenge it is: the token's hash of a session or of a pending sign-in."""

    token_sha256: str
    purpose: str


def user_handle(administrator_id: int) -> bytes:
    """Return what authenticators store as the user's id; it tells nothing about the person."""
    return hashlib.sha256(f"certwright administrator {administrator_id}".encode()).digest()


class Passkeys:
    """The rules for passkeys."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url

    @property
    def relying_party(self) -> RelyingParty:
        """The hub as a relying party; raises ``PasskeysNeedName`` where browsers would refuse."""
        return RelyingParty.of(self._base_url)

    async def registration_options(
        self, uow: UnitOfWork, administrator_id: int, *, username: str, owner: str
    ) -> dict[str, Any]:
        """Return what ``navigator.credentials.create`` takes."""
        known = await _descriptors(uow.session, administrator_id)
        options = webauthn.generate_registration_options(
            rp_id=self.relying_party.id,
            rp_name=_NAME,
            user_name=username,
            user_id=user_handle(administrator_id),
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.PREFERRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=known,
        )
        await _store_challenge(uow, Owner(owner, REGISTER), options.challenge)
        return dict(json.loads(webauthn.options_to_json(options)))

    async def register(
        self,
        uow: UnitOfWork,
        administrator_id: int,
        *,
        credential: dict[str, Any],
        challenge: bytes,
        name: str,
    ) -> int:
        """Store a new passkey; return its id. ``challenge`` is what :func:`take_challenge` gave.

        Raises:
            PasskeyRefused: the answer does not fit.
            PasskeyTaken: it is registered already.
        """
        verified = self._verified_registration(credential, challenge)
        known = select(Passkey.id).where(Passkey.credential_id == verified.credential_id)
        if (await uow.session.execute(known)).first() is not None:
            raise PasskeyTaken
        passkey = Passkey(
            administrator_id=administrator_id,
            credential_id=verified.credential_id,
            public_key=verified.credential_public_key,
            sign_count=verified.sign_count,
            name=name,
            transports=_transports_of(credential),
            aaguid=verified.aaguid,
            backed_up=verified.credential_backed_up,
            created_at=uow.now,
        )
        uow.session.add(passkey)
        await uow.session.flush()
        return passkey.id

    def _verified_registration(self, credential: dict[str, Any], challenge: bytes) -> VerifiedRegistration:
        party = self.relying_party
        try:
            return webauthn.verify_registration_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=party.id,
                expected_origin=party.origin,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError) as error:
            raise PasskeyRefused(f"the passkey was not accepted: {error}") from error

    async def authentication_options(
        self, uow: UnitOfWork, administrator_id: int | None, *, owner: str
    ) -> dict[str, Any]:
        """Return what ``navigator.credentials.get`` takes; None lets any discoverable passkey answer."""
        allowed = await _descriptors(uow.session, administrator_id) if administrator_id is not None else []
        options = webauthn.generate_authentication_options(
            rp_id=self.relying_party.id,
            allow_credentials=allowed,
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        await _store_challenge(uow, Owner(owner, AUTHENTICATE), options.challenge)
        return dict(json.loads(webauthn.options_to_json(options)))

    async def authenticate(
        self,
        uow: UnitOfWork,
        administrator_id: int | None,
        *,
        credential: dict[str, Any],
        challenge: bytes,
    ) -> int:
        """Check an assertion; return the administrator whose passkey signed it.

        With ``administrator_id`` None the passkey says who it is, and has to have stored the user's handle.

        Raises:
            PasskeyRefused: unknown, of somebody else, or signature, origin, challenge or counter is wrong.
        """
        row = (
            await uow.session.execute(
                select(Passkey)
                .where(Passkey.credential_id == _credential_id_of(credential))
                .with_for_update()
            )
        ).scalar_one_or_none()
        if row is None or (administrator_id is not None and row.administrator_id != administrator_id):
            raise PasskeyRefused("this passkey is not registered")
        handle = _user_handle_of(credential)
        if handle != user_handle(row.administrator_id) and (administrator_id is None or handle is not None):
            raise PasskeyRefused("the passkey is of another user")
        verified = self._verified_assertion(credential, challenge, row)
        await uow.session.execute(
            update(Passkey)
            .where(Passkey.id == row.id)
            .values(
                sign_count=verified.new_sign_count,
                backed_up=verified.credential_backed_up,
                last_used_at=uow.now,
            )
        )
        return row.administrator_id

    def _verified_assertion(
        self, credential: dict[str, Any], challenge: bytes, row: Passkey
    ) -> VerifiedAuthentication:
        party = self.relying_party
        try:
            return webauthn.verify_authentication_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=party.id,
                expected_origin=party.origin,
                credential_public_key=row.public_key,
                credential_current_sign_count=row.sign_count,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError) as error:
            raise PasskeyRefused(f"the passkey was not accepted: {error}") from error

    async def remove(self, uow: UnitOfWork, administrator_id: int, passkey_id: int) -> str:
        """Forget a passkey of an administrator; return its name.

        Raises:
            NoSuchPasskey: there is none.
        """
        gone = await uow.session.execute(
            delete(Passkey)
            .where(Passkey.id == passkey_id, Passkey.administrator_id == administrator_id)
            .returning(Passkey.name)
        )
        name = gone.scalar_one_or_none()
        if name is None:
            raise NoSuchPasskey
        return name


async def has_passkey(session: AsyncSession, administrator_id: int) -> bool:
    """Whether an administrator has a passkey."""
    statement = select(Passkey.id).where(Passkey.administrator_id == administrator_id).limit(1)
    return (await session.execute(statement)).first() is not None


async def take_challenge(uow: UnitOfWork, owner: Owner) -> bytes:
    """Return the challenge that was given to ``owner`` and forget it.

    Take it in a transaction of its own, so that it is gone whatever the answer is worth.

    Raises:
        PasskeyRefused: none was given, it was used, or it is too old.
    """
    taken = await uow.session.execute(
        delete(WebauthnChallenge)
        .where(WebauthnChallenge.owner == owner.token_sha256, WebauthnChallenge.purpose == owner.purpose)
        .returning(WebauthnChallenge.challenge, WebauthnChallenge.expires_at)
    )
    row = taken.first()
    if row is None or row.expires_at <= uow.now:
        raise PasskeyRefused("the challenge was used or is too old; start again")
    return bytes(row.challenge)


async def _store_challenge(uow: UnitOfWork, owner: Owner, challenge: bytes) -> None:
    await uow.session.execute(delete(WebauthnChallenge).where(WebauthnChallenge.expires_at < uow.now))
    values = {"challenge": challenge, "expires_at": uow.now + CHALLENGE_LIFETIME}
    statement = insert_for(uow.session, WebauthnChallenge).values(
        owner=owner.token_sha256, purpose=owner.purpose, **values
    )
    await uow.session.execute(
        statement.on_conflict_do_update(index_elements=["owner", "purpose"], set_=values)
    )


async def _descriptors(session: AsyncSession, administrator_id: int) -> list[PublicKeyCredentialDescriptor]:
    statement = select(Passkey.credential_id).where(Passkey.administrator_id == administrator_id)
    return [
        PublicKeyCredentialDescriptor(id=bytes(item)) for item in (await session.execute(statement)).scalars()
    ]


def _credential_id_of(credential: dict[str, Any]) -> bytes:
    try:
        found = base64url_to_bytes(str(credential["rawId"]))
    except (KeyError, ValueError) as error:
        raise PasskeyRefused("the answer has no credential id") from error
    return found[:_MAX_CREDENTIAL_ID]


def _user_handle_of(credential: dict[str, Any]) -> bytes | None:
    response = credential.get("response")
    handle = response.get("userHandle") if isinstance(response, dict) else None
    if not handle:
        return None
    try:
        return base64url_to_bytes(str(handle))
    except ValueError:
        return b""


def _transports_of(credential: dict[str, Any]) -> list[str]:
    response = credential.get("response")
    given = response.get("transports") if isinstance(response, dict) else None
    return sorted(_TRANSPORTS.intersection(str(item) for item in given)) if isinstance(given, list) else []
