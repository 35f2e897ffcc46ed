"""The hub's key-encryption key: made once, then taken at each start from where the settings say.

It is 32 random bytes in hex, or derived from a passphrase with scrypt. The salt of a passphrase lies beside
the database with the key's id, so that a wrong passphrase is noticed before anything is opened.
"""

from __future__ import annotations

import json
import os

from hub.config import ConfigurationError, Settings, create_key, load_key
from hub.secret_sources import SecretReader, SecretSource, SecretUnavailable
from pki.at_rest import KEY_BYTES, SALT_BYTES, KeyEncryptionKey, new_salt
from pki.errors import MalformedKey

_WHAT = "the hub's key"
_PASSPHRASE = "the hub's passphrase"  # noqa: S105 - what the prompt asks for
MINIMUM_PASSPHRASE = 12


def open_kek(settings: Settings, reader: SecretReader | None = None) -> KeyEncryptionKey:
    """Return the key of a hub that has been set up.

    Raises:
        ConfigurationError: it is missing, damaged, readable by others, or the passphrase is wrong.
    """
    if not settings.key_source:
        return load_key(settings.key_path)
    source = SecretSource.parse(settings.key_source)
    text = _read(source, reader or SecretReader())
    return _derived(settings, text) if source.passphrase else _from_hex(source, text)


def create_kek(settings: Settings, reader: SecretReader | None = None) -> KeyEncryptionKey:
    """Return the key of a hub that is being set up, making what is not there yet.

    Raises:
        ConfigurationError: a file can't be written, or the passphrase is too short.
    """
    if not settings.key_source:
        return create_key(settings.key_path)
    source = SecretSource.parse(settings.key_source)
    reader = reader or SecretReader()
    if source.passphrase and not settings.salt_path.exists():
        _keep_salt(settings, _read(source, reader))
    return open_kek(settings, reader)


def _read(source: SecretSource, reader: SecretReader) -> str:
    try:
        return reader.read(source, what=_PASSPHRASE if source.passphrase else _WHAT)
    except SecretUnavailable as fault:
        raise ConfigurationError(str(fault)) from fault


def _from_hex(source: SecretSource, text: str) -> KeyEncryptionKey:
    try:
        return KeyEncryptionKey(bytes.fromhex(text))
    except (ValueError, MalformedKey) as fault:
        raise ConfigurationError(
            f"{_WHAT} from {source} is damaged: it holds no {KEY_BYTES} bytes in hex"
        ) from fault


def _derived(settings: Settings, passphrase: str) -> KeyEncryptionKey:
    path = settings.salt_path
    try:
        document = json.loads(path.read_text())
        salt, key_id = bytes.fromhex(document["salt"]), str(document["key_id"])
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise ConfigurationError(f"the passphrase's salt {path} can't be read: {fault}") from fault
    if len(salt) < SALT_BYTES:
        raise ConfigurationError(f"the passphrase's salt {path} is damaged")
    key = KeyEncryptionKey.from_passphrase(passphrase.encode(), salt=salt)
    if key.key_id != key_id:
        raise ConfigurationError("the passphrase is wrong")
    return key


def _keep_salt(settings: Settings, passphrase: str) -> None:
    if len(passphrase) < MINIMUM_PASSPHRASE:
        raise ConfigurationError(f"a passphrase has at least {MINIMUM_PASSPHRASE} characters")
    salt = new_salt()
    key = KeyEncryptionKey.from_passphrase(passphrase.encode(), salt=salt)
    try:
        descriptor = os.open(settings.salt_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise ConfigurationError(f"{settings.salt_path}: {error.strerror}") from error
    with os.fdopen(descriptor, "w") as file:
        json.dump({"salt": salt.hex(), "key_id": key.key_id}, file)
        file.flush()
        os.fsync(file.fileno())
