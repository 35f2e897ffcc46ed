"""Making the key of a CA: in this process and encrypted at once, or in the HSM. Blocks."""

from __future__ import annotations

from dataclasses import dataclass, field

from hub.issuers.private_ca.errors import HsmNotConfigured
from hub.issuers.private_ca.hsm import Hsm
from hub.issuers.private_ca.signer import Signer, SoftwareSigner
from pki.algorithms import SignatureAlgorithm
from pki.at_rest import KeyEncryptionKey
from pki.keys import KeyType, generate_key


@dataclass(frozen=True, slots=True, kw_only=True)
class CaKey:
    """A new key, ready to sign, and what is stored of it: one of the two."""

    signer: Signer = field(repr=False)
    locked_key: bytes | None = field(default=None, repr=False)
    hsm_key_id: str | None = None

    @property
    def columns(self) -> dict[str, bytes | str | None]:
        """The columns of the row that keeps it."""
        return {"locked_key": self.locked_key, "hsm_key_id": self.hsm_key_id}


@dataclass(frozen=True, slots=True)
class KeyMaker:
    """Makes keys where they are wanted."""

    kek: KeyEncryptionKey = field(repr=False)
    hsm: Hsm | None = None

    def make(
        self, key_store: str, key_type: KeyType, algorithm: SignatureAlgorithm | None, *, label: str
    ) -> CaKey:
        """Make a key.

        Raises:
            HsmNotConfigured: a key in the HSM is wanted, and there is none.
            HsmUnavailable: it can't be reached now.
            UnsupportedKey: it makes no such keys.
        """
        if key_store != "hsm":
            signer = SoftwareSigner(generate_key(key_type), algorithm)
            return CaKey(signer=signer, locked_key=signer.lock(self.kek))
        if self.hsm is None:
            raise HsmNotConfigured
        made = self.hsm.make_key(key_type, label=label)
        return CaKey(signer=self.hsm.signer(made.key_id, made.public_key, algorithm), hsm_key_id=made.key_id)
