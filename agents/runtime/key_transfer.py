"""A private key on its way from one agent to another, sealed so that the hub relays what it can't read.

The seal binds purpose, key pair, sender and receiver: an envelope can't be passed off for another key or
shown to another agent. It does not prove who sealed it; the receiver therefore checks the key against the
certificate it is to be stored with.
"""

from agents.runtime.commands import SealedKey
from agents.runtime.errors import CommandFailed
from pki.algorithms import SigningKey
from pki.errors import PkiError
from pki.keys import decode_private_key, encode_private_key, spki_sha256
from pki.sealing import ReceiverKey, open_sealed, seal, seal_info

_PURPOSE = "certwright-key-transfer-v1"


def _info(spki_hex: str) -> bytes:
    # Two commands carry the envelope, one to each agent; neither knows the other's id.
    return seal_info(purpose=_PURPOSE, command_id="", spki_sha256=spki_hex)


def _parties(sender: str, receiver: str) -> bytes:
    return b"\x00".join((sender.encode(), receiver.encode()))


def seal_key(key: SigningKey, *, receiver_public_key: bytes, sender: str, receiver: str) -> SealedKey:
    """Seal a key for a receiver; `sender` and `receiver` are agent ids. Raises SealError."""
    spki_hex = spki_sha256(key.public_key())
    envelope = seal(
        receiver_public_key, encode_private_key(key), info=_info(spki_hex), aad=_parties(sender, receiver)
    )
    return SealedKey(envelope=envelope, spki_sha256=bytes.fromhex(spki_hex), sender_agent_id=sender)


def open_key(sealed: SealedKey, receiver_key: ReceiverKey, *, receiver: str) -> SigningKey:
    """Open a sealed key that is meant for this agent. Raises CommandFailed."""
    spki_hex = sealed.spki_sha256.hex()
    try:
        der = open_sealed(
            receiver_key,
            sealed.envelope,
            info=_info(spki_hex),
            aad=_parties(sealed.sender_agent_id, receiver),
        )
        key = decode_private_key(der)
    except PkiError as fault:
        raise CommandFailed("SealedKeyUnusable", str(fault)) from fault
    if spki_sha256(key.public_key()) != spki_hex:
        raise CommandFailed("SealedKeyUnusable", "the envelope holds another key than it says")
    return key
