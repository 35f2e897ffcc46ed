"""The account at an ACME server (RFC 8555, 7.3): its key is made here and kept encrypted.

What is kept is one JSON document. Both a new key and the rollover to one are stored before the CA is told, so
that after a crash in between the account is found again by whichever key the CA knows.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from hub.issuers.acme.client import AcmeClient, Signer
from hub.issuers.acme.errors import AccountNotUsable, CaRefused, CaUnreachable
from hub.issuers.acme.jws import AccountKey, external_account_binding, key_change
from hub.issuers.acme.objects import Directory, read_json
from hub.issuers.acme.settings import AcmeSettings
from hub.issuers.contract import Keepsakes

_NAME = "account"
_PERSON_S = 3600


@dataclass(frozen=True, slots=True)
class KeptAccount:
    """What is stored. ``kid`` is "" until the CA has named it, ``next_pem`` while no rollover is under way.

    ``told`` is what the CA was last told about contacts.
    """

    pem: str
    kid: str = ""
    next_pem: str = ""
    told: str = ""

    def dump(self) -> bytes:
        """Encode it."""
        return json.dumps(
            {"pem": self.pem, "kid": self.kid, "next_pem": self.next_pem, "told": self.told}
        ).encode()


class Account:
    """The account of one backend."""

    def __init__(self, settings: AcmeSettings, keepsakes: Keepsakes) -> None:
        self._settings = settings
        self._keepsakes = keepsakes
        # An account is at one server: other settings, another account.
        self._name = f"{_NAME}:{settings.address}"[:128]

    async def signer(self, client: AcmeClient) -> Signer:
        """Return the account, ready to order; it is made at the CA if there is none yet.

        Raises:
            CaRefused, CaUnreachable: the CA makes none, or can't be asked.
            AccountNotUsable: an administrator has to agree to terms, or to bind the account.
        """
        kept = await self._kept()
        if kept.next_pem:
            kept = await self._finish_rollover(client, kept)
        key = AccountKey.from_pem(kept.pem)
        if not kept.kid:
            kept = await self._register(client, kept, key)
        elif kept.told != self._contacts():
            kept = await self._tell_contacts(client, kept, key)
        return Signer(key, kept.kid)

    async def roll_over(self, client: AcmeClient) -> str:
        """Give the account a new key (7.3.5); return the new key's thumbprint. Raises as :meth:`signer`."""
        await self.signer(client)
        kept = await self._kept()
        if not kept.next_pem:
            kept = await self._change(kept, replace(kept, next_pem=AccountKey.generate().pem()))
        kept = await self._finish_rollover(client, kept)
        return AccountKey.from_pem(kept.pem).thumbprint

    async def forget_address(self) -> None:
        """Look the account up again: the CA does not know it under its address any more."""
        kept = await self._kept()
        await self._change(kept, replace(kept, kid="", told=""))

    async def orders_url(self, client: AcmeClient, signer: Signer) -> str:
        """Return where the account's orders are listed (7.1.2.1); "" where the CA does not list them."""
        reply = await client.post(signer.kid or "", None, signer)
        found = read_json(reply.body).get("orders", "")
        return found if isinstance(found, str) else ""

    def _contacts(self) -> str:
        return " ".join(sorted(self._settings.contacts)) or "-"

    async def _kept(self) -> KeptAccount:
        stored = await self._keepsakes.get(self._name)
        if stored is None:
            fresh = KeptAccount(pem=AccountKey.generate().pem()).dump()
            stored = await self._keepsakes.put_if_absent(self._name, fresh)
        return KeptAccount(**json.loads(stored))

    async def _change(self, old: KeptAccount, new: KeptAccount) -> KeptAccount:
        # Whoever was first, here or on another replica, has done the same or more.
        if await self._keepsakes.swap(self._name, old.dump(), new.dump()):
            return new
        return await self._kept()

    async def _register(self, client: AcmeClient, kept: KeptAccount, key: AccountKey) -> KeptAccount:
        directory = await client.directory()
        self._check_terms(directory)
        payload: dict[str, object] = {"contact": self._mailto()}
        if directory.terms_of_service:
            payload["termsOfServiceAgreed"] = True
        if self._settings.eab_key_id:
            payload["externalAccountBinding"] = external_account_binding(
                key.jwk,
                key_id=self._settings.eab_key_id,
                mac_key=self._settings.eab_hmac_key.get_secret_value(),
                url=directory.new_account,
            )
        reply = await client.post(directory.new_account, payload, Signer(key, None))
        kid = reply.headers.get("location", "")
        if not kid:
            raise CaUnreachable("the CA names no address for the account")
        return await self._change(kept, replace(kept, kid=kid, told=self._contacts()))

    def _check_terms(self, directory: Directory) -> None:
        if directory.terms_of_service and not self._settings.terms_agreed:
            raise AccountNotUsable(
                f"the terms of service are not agreed to: {directory.terms_of_service}",
                retry_after_s=_PERSON_S,
            )
        if directory.external_account_required and not self._settings.eab_key_id:
            raise AccountNotUsable("the CA wants an external account binding", retry_after_s=_PERSON_S)

    def _mailto(self) -> list[str]:
        return [f"mailto:{address}" for address in self._settings.contacts]

    async def _tell_contacts(self, client: AcmeClient, kept: KeptAccount, key: AccountKey) -> KeptAccount:
        await client.post(kept.kid, {"contact": self._mailto()}, Signer(key, kept.kid))
        return await self._change(kept, replace(kept, told=self._contacts()))

    async def _finish_rollover(self, client: AcmeClient, kept: KeptAccount) -> KeptAccount:
        old, new = AccountKey.from_pem(kept.pem), AccountKey.from_pem(kept.next_pem)
        if not await _knows(client, new):
            directory = await client.directory()
            if not directory.key_change:
                raise AccountNotUsable("the CA changes no account keys", retry_after_s=_PERSON_S)
            inner = key_change(old, new, account=kept.kid, url=directory.key_change)
            await client.post(directory.key_change, inner, Signer(old, kept.kid))
        return await self._change(kept, replace(kept, pem=kept.next_pem, next_pem=""))


async def _knows(client: AcmeClient, key: AccountKey) -> bool:
    """Ask whether the CA has an account with a key (7.3.1)."""
    directory = await client.directory()
    try:
        await client.post(directory.new_account, {"onlyReturnExisting": True}, Signer(key, None))
    except CaRefused as fault:
        if fault.problem.kind == "accountDoesNotExist":
            return False
        raise
    return True
