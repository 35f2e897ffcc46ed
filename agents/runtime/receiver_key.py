"""The agent's receiver key: the X25519 key to which others seal private keys for this agent."""

from agents.runtime.errors import NotEnrolled, StoreKeyUnavailable
from agents.runtime.state_dir import StateDirectory, read_secret, write_file
from pki.at_rest import KeyEncryptionKey
from pki.errors import PkiError
from pki.sealing import ReceiverKey, generate_receiver_key

_PURPOSE = b"certwright receiver key v1"


def ensure_receiver_key(directory: StateDirectory, kek: KeyEncryptionKey) -> ReceiverKey:
    """The receiver key, made if there is none yet. Raises as `load_receiver_key`."""
    if directory.receiver.exists():
        return load_receiver_key(directory, kek)
    key = generate_receiver_key()
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
