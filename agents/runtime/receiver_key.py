"""The agent's receiver key: the X25519 key to which others seal private keys for this agent."""

from agents.runtime.errors import NotEnrolled, StoreKeyUnavailable
from agents.runtime.state_dir import StateDirectory, read_secret, write_file
from pki.at_rest import KeyEncryptionKey
from pki.errors import PkiError
from pki.sealing import ReceiverKey, generate_receiver_key, receiver_fingerprint

_PURPOSE = b"certwright receiver key v1"


def ensure_receiver_key(directory: StateDirectory, kek: KeyEncryptionKey) -> ReceiverKey:
    """The receiver key, made if there is none yet. Raises as `load_receiver_key`."""
    if directory.receiver.exists():
        return load_receiver_key(directory, kek)
    key = generate_receiver_key()
    write_file(directory.receiver_public, key.public.hex().encode() + b"\n", mode=0o644)
    write_file(directory.receiver, kek.wrap(key.private_bytes(), _PURPOSE))
    return key


def load_receiver_key(directory: StateDirectory, kek: KeyEncryptionKey) -> ReceiverKey:
    """Decrypt the receiver key. Raises NotEnrolled, UnsafeMode or StoreKeyUnavailable."""
    try:
        return ReceiverKey.from_private_bytes(kek.unwrap(read_secret(directory.receiver), _PURPOSE))
    except OSError as fault:
        raise NotEnrolled(f"{directory.receiver}: {fault.strerror}") from fault
    except PkiError as fault:
        raise StoreKeyUnavailable(f"{directory.receiver}: {fault}") from fault


def read_receiver_fingerprint(directory: StateDirectory) -> str:
    """The receiver key's fingerprint, for policies of other agents. Raises NotEnrolled."""
    try:
        return receiver_fingerprint(bytes.fromhex(directory.receiver_public.read_text("ascii")))
    except (OSError, ValueError, PkiError) as fault:
        raise NotEnrolled(f"{directory.receiver_public} can't be read: {fault}") from fault
