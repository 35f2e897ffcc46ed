"""The key-encryption key of the agent's store, and who holds it.

Best is the platform: a systemd credential, which may be sealed to the machine's TPM. Next a passphrase in
a file outside the state directory. By default a random key beside the store, which protects copies of
``keys.db`` alone but not of the whole directory; enrollment says so.
"""

from dataclasses import dataclass
from pathlib import Path

from agents.runtime.config import StoreConfig
from agents.runtime.errors import StoreKeyUnavailable
from agents.runtime.state_dir import StateDirectory, read_secret, write_file
from pki.at_rest import KEY_BYTES, KeyEncryptionKey, new_key, new_salt
from pki.errors import PkiError

CREDENTIAL_NAME = "certwright-kek"
_HEX_DIGITS = 2 * KEY_BYTES


@dataclass(frozen=True, slots=True)
class StoreKeyFound:
    """The key, where it came from, and a remark for a person where that is not the best."""

    key: KeyEncryptionKey
    config: StoreConfig
    remark: str = ""


def choose_store_key(
    directory: StateDirectory, *, credentials: Path | None, passphrase_file: Path | None
) -> StoreKeyFound:
    """Settle at enrollment who holds the key, and make what has to be made.

    Raises StoreKeyUnavailable, UnsafeMode or StateDirectoryUnusable.
    """
    if passphrase_file is not None:
        config = StoreConfig(key="passphrase", passphrase_file=str(passphrase_file.absolute()))
        _make_salt(directory)
        return StoreKeyFound(open_store_key(directory, config, credentials=credentials), config)
    if credentials is not None and (credentials / CREDENTIAL_NAME).exists():
        config = StoreConfig(key="credential")
        _make_salt(directory)
        return StoreKeyFound(open_store_key(directory, config, credentials=credentials), config)
    if not directory.kek.exists():
        write_file(directory.kek, new_key().hex().encode() + b"\n")
    config = StoreConfig(key="file")
    return StoreKeyFound(
        open_store_key(directory, config, credentials=None),
        config,
        f"the key that protects stored keys lies beside them ({directory.kek}); "
        f"a systemd credential {CREDENTIAL_NAME} or --passphrase-file keeps it elsewhere",
    )


def _make_salt(directory: StateDirectory) -> None:
    if not directory.salt.exists():
        write_file(directory.salt, new_salt())


def open_store_key(
    directory: StateDirectory, config: StoreConfig, *, credentials: Path | None
) -> KeyEncryptionKey:
    """Get the key from whoever holds it; takes some tenths of a second with a passphrase.

    Raises StoreKeyUnavailable or UnsafeMode.
    """
    path = _holder(directory, config, credentials)
    try:
        # systemd hands credentials out on a private mount with mode 0400 or 0440; it guards them itself.
        secret = path.read_bytes() if config.key == "credential" else read_secret(path)
        return _key_of(secret, directory)
    except OSError as fault:
        raise StoreKeyUnavailable(f"{path}: {fault.strerror}") from fault
    except (PkiError, ValueError) as fault:
        raise StoreKeyUnavailable(f"{path}: {fault}") from fault


def _holder(directory: StateDirectory, config: StoreConfig, credentials: Path | None) -> Path:
    if config.key == "passphrase":
        return Path(config.passphrase_file)
    if config.key == "file":
        return directory.kek
    if credentials is None:
        raise StoreKeyUnavailable(
            f"the store's key is the systemd credential {CREDENTIAL_NAME}; this process got no credentials"
        )
    return credentials / CREDENTIAL_NAME


def _key_of(secret: bytes, directory: StateDirectory) -> KeyEncryptionKey:
    """64 hex digits are the key itself; anything else is a passphrase."""
    text = secret.strip()
    if len(text) == _HEX_DIGITS:
        try:
            return KeyEncryptionKey(bytes.fromhex(text.decode("ascii")))
        except ValueError:
            pass
    return KeyEncryptionKey.from_passphrase(text, salt=directory.salt.read_bytes())
