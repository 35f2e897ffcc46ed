"""Making certification authorities: a root, and the issuing CA under it.

Keys are made here, encrypted at once under the hub's key-encryption key, and returned together with the
certificate. Making an RSA key takes up to seconds: call these functions in a thread.
"""

from dataclasses import dataclass, field

from hub.issuers.private_ca.authority import PrivateCa, SubordinateRequest
from hub.issuers.private_ca.signer import Signer, SoftwareSigner
from pki.algorithms import VerifyingKey
from pki.at_rest import KeyEncryptionKey
from pki.errors import UnsupportedKey
from pki.issuing import assemble, build_tbs
from pki.keys import KeyType, generate_key, spki_der
from pki.names import SubjectFields, encode_name
from pki.templates import (
    ANY_POLICY,
    NameConstraints,
    StatusUrls,
    SubjectRef,
    Validity,
    root_template,
    serial_from_random,
)

CA_KEY_TYPES = frozenset(KeyType)
"""Key types that a CA may have. Not every relying party can verify P-521, Ed25519 and ML-DSA."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaSpec:
    """What a new CA is to be."""

    subject: SubjectFields
    key_type: KeyType
    validity: Validity
    random: bytes
    """128 random bits for the serial number."""
    path_length: int | None = None
    name_constraints: NameConstraints | None = None
    policies: tuple[str, ...] = (ANY_POLICY,)


@dataclass(frozen=True, slots=True)
class CaMaterial:
    """What is stored of a new CA."""

    certificate: bytes
    """DER."""
    locked_key: bytes = field(repr=False)
    """Opened by ``SoftwareSigner.unlock``."""
    signer: SoftwareSigner = field(repr=False)

    def authority(self, urls: StatusUrls | None = None) -> PrivateCa:
        """Return the CA, ready to sign."""
        return PrivateCa(self.certificate, self.signer, urls=urls)


def create_root(spec: CaSpec, key: KeyEncryptionKey) -> CaMaterial:
    """Make a key and a self-signed root; raise InvalidName, InvalidTemplate or UnsupportedKey."""
    signer = _new_signer(spec.key_type)
    return CaMaterial(certify_root(spec, signer), signer.lock(key), signer)


def certify_root(spec: CaSpec, signer: Signer) -> bytes:
    """Return the root certificate of a key that exists; raise InvalidName or InvalidTemplate."""
    template = root_template(
        serial=serial_from_random(spec.random),
        signature_algorithm=signer.algorithm,
        validity=spec.validity,
        subject=_subject(spec, signer.public_key),
        path_length=spec.path_length,
    )
    tbs = build_tbs(template)
    return assemble(tbs, signer.algorithm, signer.sign(tbs))


def create_issuing_ca(spec: CaSpec, key: KeyEncryptionKey, *, parent: PrivateCa) -> CaMaterial:
    """Make a key and have the parent certify it; raises as ``create_root``, and OutlivesIssuer.

    A path length that is not given is 0: an issuing CA certifies no further CAs.
    """
    signer = _new_signer(spec.key_type)
    return CaMaterial(certify_issuing_ca(spec, signer.public_key, parent=parent), signer.lock(key), signer)


def certify_issuing_ca(spec: CaSpec, public_key: VerifyingKey, *, parent: PrivateCa) -> bytes:
    """Have the parent certify a key that exists; raise InvalidName, InvalidTemplate or OutlivesIssuer."""
    prepared = parent.prepare_subordinate(
        SubordinateRequest(
            random=spec.random,
            validity=spec.validity,
            subject=_subject(spec, public_key),
            path_length=spec.path_length or 0,
            name_constraints=spec.name_constraints,
            policies=spec.policies,
        )
    )
    return parent.sign(prepared.tbs)


def _new_signer(key_type: KeyType) -> SoftwareSigner:
    if key_type not in CA_KEY_TYPES:
        raise UnsupportedKey(f"a CA key is one of {', '.join(sorted(CA_KEY_TYPES))}")
    return SoftwareSigner(generate_key(key_type))


def _subject(spec: CaSpec, public_key: VerifyingKey) -> SubjectRef:
    return SubjectRef(encode_name(spec.subject), spki_der(public_key))
