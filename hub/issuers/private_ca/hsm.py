"""CA keys in a hardware security module, through PKCS#11 (OASIS PKCS #11 v2.40; tested with SoftHSM 2).

Keys are made in the token and never leave it. Calls go one after the other: the Python binding initializes a
module without locks, so two threads must not be in it at once. One session is kept; when a call fails for a
reason that a fresh start may mend (token pulled out, session lost), the module is started anew and the call
tried once more. A refused PIN is never tried twice, because tokens lock themselves after a few.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from hub.issuers.private_ca.errors import HsmPinRefused, HsmUnavailable
from pki.algorithms import SignatureAlgorithm, VerifyingKey, algorithms_of
from pki.errors import UnsupportedKey
from pki.keys import KeyType, decode_public_key

if TYPE_CHECKING:
    from types import ModuleType

_KEY_ID_BYTES = 16
_RSA_BITS = {KeyType.RSA_2048: 2048, KeyType.RSA_3072: 3072, KeyType.RSA_4096: 4096}
_CURVES = {KeyType.EC_P256: "secp256r1", KeyType.EC_P384: "secp384r1", KeyType.EC_P521: "secp521r1"}
HSM_KEY_TYPES = frozenset((*_RSA_BITS, *_CURVES))
"""Key types that are made in a token; Ed25519 and ML-DSA are kept by few."""
_RSA_MECHANISMS = {
    SignatureAlgorithm.RSA_SHA256: "SHA256_RSA_PKCS",
    SignatureAlgorithm.RSA_SHA384: "SHA384_RSA_PKCS",
    SignatureAlgorithm.RSA_SHA512: "SHA512_RSA_PKCS",
}
_ECDSA_HASHES = {
    SignatureAlgorithm.ECDSA_SHA256: "sha256",
    SignatureAlgorithm.ECDSA_SHA384: "sha384",
    SignatureAlgorithm.ECDSA_SHA512: "sha512",
}

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class HsmSettings:
    """Which module, which token in it by its label, and how the PIN is read whenever it is needed."""

    module: Path
    token: str
    pin: Callable[[], str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class HsmKey:
    """A key pair in a token, found by its CKA_ID in hex."""

    key_id: str
    public_key: VerifyingKey


class Hsm:
    """One token. Everything here blocks, and may be called from several threads."""

    def __init__(self, settings: HsmSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._session: Any = None
        self._refused_pin = b""

    @property
    def name(self) -> str:
        """The token's label."""
        return self._settings.token

    def make_key(self, key_type: KeyType, *, label: str) -> HsmKey:
        """Make a key pair in the token, from which the private key can never be taken out.

        Raises:
            UnsupportedKey: not one of :data:`HSM_KEY_TYPES`.
            HsmUnavailable: the token is away, refuses the PIN, or would let the key out.
        """
        if key_type not in HSM_KEY_TYPES:
            raise UnsupportedKey(f"an HSM keeps {', '.join(sorted(HSM_KEY_TYPES))}")
        key_id = os.urandom(_KEY_ID_BYTES)
        return self._call(partial(_generate, key_type=key_type, key_id=key_id, label=label))

    def sign(self, key_id: str, algorithm: SignatureAlgorithm, message: bytes) -> bytes:
        """Sign with a key of the token; raise HsmUnavailable or UnsupportedKey."""
        return self._call(partial(_sign, key_id=bytes.fromhex(key_id), algorithm=algorithm, message=message))

    def check(self) -> None:
        """Sign in to the token; raise HsmUnavailable saying why it can't be used."""
        self._call(_nothing)

    def signer(
        self, key_id: str, public_key: VerifyingKey, algorithm: SignatureAlgorithm | None = None
    ) -> HsmSigner:
        """Return the signer of a key; nothing is asked of the token yet."""
        return HsmSigner(self, key_id, public_key, algorithm or algorithms_of(public_key)[0])

    def _call(self, work: Callable[[ModuleType, Any], Result]) -> Result:
        pkcs11 = _binding()
        with self._lock:
            fresh = self._session is None
            try:
                return work(pkcs11, self._open(pkcs11))
            except (pkcs11.PKCS11Error, OSError) as fault:
                self._forget(pkcs11)
                if fresh:
                    raise self._unavailable(fault) from fault
            try:
                return work(pkcs11, self._open(pkcs11))
            except (pkcs11.PKCS11Error, OSError) as fault:
                self._forget(pkcs11)
                raise self._unavailable(fault) from fault

    def _open(self, pkcs11: ModuleType) -> Any:
        if self._session is None:
            try:
                pin = self._settings.pin()
            except (OSError, ValueError) as fault:
                raise HsmUnavailable(f"the PIN of token {self.name} can't be read: {fault}") from fault
            digest = hashlib.sha256(pin.encode()).digest()
            if digest == self._refused_pin:
                raise HsmPinRefused(f"token {self.name} refused this PIN before: {HsmPinRefused.__doc__}")
            try:
                token = pkcs11.lib(str(self._settings.module)).get_token(token_label=self.name)
                self._session = token.open(rw=True, user_pin=pin)
            except (pkcs11.PinIncorrect, pkcs11.PinInvalid, pkcs11.PinLenRange, pkcs11.PinLocked) as fault:
                self._refused_pin = digest
                self._forget(pkcs11)
                reason = "is locked" if isinstance(fault, pkcs11.PinLocked) else "refuses the PIN"
                raise HsmPinRefused(f"token {self.name} {reason}; it is not tried again") from fault
        return self._session

    def _forget(self, pkcs11: ModuleType) -> None:
        # A module looks for its tokens when it starts: only that finds one that was put back.
        self._session = None
        try:
            pkcs11.lib(str(self._settings.module)).finalize()
        except pkcs11.PKCS11Error:
            pkcs11.unload(str(self._settings.module))

    def _unavailable(self, fault: Exception) -> HsmUnavailable:
        reason = str(fault) or type(fault).__name__
        return HsmUnavailable(f"the HSM token {self.name} can't be used: {reason}", retry_after_s=10)


@dataclass(frozen=True, slots=True)
class HsmSigner:
    """Signs with a key in a token. ECDSA signatures of tokens differ each time, over the same bytes."""

    hsm: Hsm = field(repr=False)
    key_id: str
    public_key: VerifyingKey
    algorithm: SignatureAlgorithm

    def sign(self, tbs: bytes) -> bytes:
        """Return the signature; raise HsmUnavailable."""
        return self.hsm.sign(self.key_id, self.algorithm, tbs)


def _nothing(_pkcs11: ModuleType, _session: Any) -> None:
    """Signing in is all."""


def _binding() -> ModuleType:
    try:
        import pkcs11
    except ImportError as fault:
        raise HsmUnavailable("the package python-pkcs11 is not installed: certwright[hsm] has it") from fault
    return pkcs11


def _generate(pkcs11: ModuleType, session: Any, *, key_type: KeyType, key_id: bytes, label: str) -> HsmKey:
    attribute = pkcs11.Attribute
    wanted = {
        "id": key_id,
        "label": label,
        "store": True,
        "private_template": {attribute.SENSITIVE: True, attribute.EXTRACTABLE: False, attribute.SIGN: True},
    }
    if key_type in _RSA_BITS:
        public, private = session.generate_keypair(pkcs11.KeyType.RSA, _RSA_BITS[key_type], **wanted)
        spki = _rsa_spki(public[attribute.MODULUS], public[attribute.PUBLIC_EXPONENT])
    else:
        from pkcs11.util.ec import encode_ec_public_key, encode_named_curve_parameters

        curve = {attribute.EC_PARAMS: encode_named_curve_parameters(_CURVES[key_type])}
        domain = session.create_domain_parameters(pkcs11.KeyType.EC, curve, local=True)
        public, private = domain.generate_keypair(**wanted)
        spki = encode_ec_public_key(public)
    if private[attribute.EXTRACTABLE] or not private[attribute.NEVER_EXTRACTABLE]:
        private.destroy()
        public.destroy()
        raise HsmUnavailable("the token makes keys that can be taken out of it; nothing was kept")
    return HsmKey(key_id.hex(), decode_public_key(spki))


def _rsa_spki(modulus: bytes, exponent: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric import rsa

    from pki.keys import spki_der

    numbers = rsa.RSAPublicNumbers(int.from_bytes(exponent, "big"), int.from_bytes(modulus, "big"))
    return spki_der(numbers.public_key())


def _sign(
    pkcs11: ModuleType, session: Any, *, key_id: bytes, algorithm: SignatureAlgorithm, message: bytes
) -> bytes:
    key = session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, id=key_id)
    if algorithm in _RSA_MECHANISMS:
        signature: bytes = key.sign(message, mechanism=pkcs11.Mechanism[_RSA_MECHANISMS[algorithm]])
        return signature
    if algorithm not in _ECDSA_HASHES:
        raise UnsupportedKey(f"an HSM does not sign with {algorithm}")
    digest = hashlib.new(_ECDSA_HASHES[algorithm], message).digest()
    raw: bytes = key.sign(digest, mechanism=pkcs11.Mechanism.ECDSA)
    half = len(raw) // 2
    return encode_dss_signature(int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big"))
