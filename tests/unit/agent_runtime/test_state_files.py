"""What lies in the state directory: modes, locks, configuration, and the key that protects the rest."""

import stat

import pytest

from agents.runtime.config import AgentConfig, StoreConfig, dump_config, load_config
from agents.runtime.errors import (
    AlreadyRunning,
    ConfigMalformed,
    NotEnrolled,
    StateDirectoryUnusable,
    StoreKeyUnavailable,
    UnsafeMode,
)
from agents.runtime.receiver_key import ensure_receiver_key, load_receiver_key, read_receiver_fingerprint
from agents.runtime.state_dir import StateDirectory, read_secret, write_file
from agents.runtime.store_key import choose_store_key, open_store_key
from pki.at_rest import KeyEncryptionKey, new_key

CONFIG = AgentConfig.model_validate(
    {
        "kind": "pks",
        "agent_id": "a-1",
        "name": 'a "quoted" \\ name\nwith everything, ünïcode',
        "hub": {"control": "[::1]:1", "enrollment": "hub:2"},
    }
)


@pytest.fixture
def directory(tmp_path):
    directory = StateDirectory(tmp_path / "state")
    directory.create()
    return directory


def test_the_directory_and_its_secrets_are_for_the_owner_only(directory):
    write_file(directory.key, b"secret")

    assert stat.S_IMODE(directory.path.stat().st_mode) == 0o700
    assert stat.S_IMODE(directory.key.stat().st_mode) == 0o600
    assert read_secret(directory.key) == b"secret"
    assert [file.name for file in directory.path.iterdir()] == ["agent.key"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_secret_that_others_may_read_is_refused(directory, mode):
    write_file(directory.key, b"secret")
    directory.key.chmod(mode)

    with pytest.raises(UnsafeMode, match=f"{mode:04o}"):
        read_secret(directory.key)


def test_a_place_that_can_not_be_is_said_to_be_unusable(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(StateDirectoryUnusable):
        StateDirectory(tmp_path / "file" / "state").create()
    with pytest.raises(StateDirectoryUnusable):
        write_file(tmp_path / "file" / "state" / "agent.key", b"")


def test_one_process_at_a_time(directory):
    with directory.locked():
        assert directory.is_locked()
        with pytest.raises(AlreadyRunning), directory.locked():
            pass
    assert not directory.is_locked()


def test_the_configuration_survives_being_written(directory):
    write_file(directory.config, dump_config(CONFIG))

    assert load_config(directory.config) == CONFIG


def test_a_directory_without_configuration_holds_no_agent(directory):
    with pytest.raises(NotEnrolled):
        load_config(directory.config)


@pytest.mark.parametrize(
    "text", ["kind =", "kind = 'pks'\n", dump_config(CONFIG).decode() + "\nunknown = 1\n", "\x00"]
)
def test_a_configuration_that_is_not_understood_is_an_error(directory, text):
    write_file(directory.config, text.encode())

    with pytest.raises(ConfigMalformed):
        load_config(directory.config)


def test_by_default_the_store_key_lies_beside_the_store_and_that_is_said(directory):
    found = choose_store_key(directory, credentials=None, passphrase_file=None)
    again = choose_store_key(directory, credentials=None, passphrase_file=None)

    assert found.remark
    assert again.key == found.key == open_store_key(directory, found.config, credentials=None)
    directory.kek.chmod(0o640)
    with pytest.raises(UnsafeMode):
        open_store_key(directory, found.config, credentials=None)


def test_a_systemd_credential_holds_the_store_key(directory, tmp_path):
    key = new_key()
    (tmp_path / "certwright-kek").write_text(key.hex() + "\n")

    found = choose_store_key(directory, credentials=tmp_path, passphrase_file=None)

    assert found.key == KeyEncryptionKey(key)
    assert found.config.key == "credential"
    assert not found.remark
    assert not directory.kek.exists()
    with pytest.raises(StoreKeyUnavailable):
        open_store_key(directory, found.config, credentials=None)


def test_a_passphrase_file_protects_the_store(directory, tmp_path):
    file = tmp_path / "passphrase"
    write_file(file, b"correct horse battery staple\n")

    found = choose_store_key(directory, credentials=None, passphrase_file=file)

    assert found.config == StoreConfig(key="passphrase", passphrase_file=str(file))
    assert open_store_key(directory, found.config, credentials=None) == found.key
    file.chmod(0o644)
    with pytest.raises(UnsafeMode):
        open_store_key(directory, found.config, credentials=None)
    file.unlink()
    with pytest.raises(StoreKeyUnavailable):
        open_store_key(directory, found.config, credentials=None)


def test_the_receiver_key_is_made_once_and_encrypted(directory):
    kek = KeyEncryptionKey(new_key())

    key = ensure_receiver_key(directory, kek)

    assert read_receiver_fingerprint(directory) == key.fingerprint
    assert ensure_receiver_key(directory, kek).public == key.public
    assert key.private_bytes() not in directory.receiver.read_bytes()
    with pytest.raises(StoreKeyUnavailable):
        load_receiver_key(directory, KeyEncryptionKey(new_key()))
    directory.receiver.unlink()
    with pytest.raises(NotEnrolled):
        load_receiver_key(directory, kek)
