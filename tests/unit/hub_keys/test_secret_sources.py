"""The hub's key from every source, and what is said when it is not there."""

import os

import pytest

from hub.config import ConfigurationError, Settings
from hub.key_encryption import create_kek, open_kek
from hub.secret_sources import SecretReader, SecretSource, SecretUnavailable

# The same in every worker: it names test cases.
KEY = bytes(range(32))
PASSPHRASE = "correct horse battery"


def settings(tmp_path, source):
    return Settings(data_dir=tmp_path, key_source=source)


def test_a_key_from_the_environment(tmp_path):
    reader = SecretReader(environment={"HUB_KEY": KEY.hex() + "\n"})
    assert open_kek(settings(tmp_path, "env:HUB_KEY"), reader).key == KEY


def test_a_key_from_systemd(tmp_path):
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / "hub-key").write_text(KEY.hex())
    (folder / "hub-key").chmod(0o400)
    reader = SecretReader(environment={"CREDENTIALS_DIRECTORY": str(folder)})
    assert open_kek(settings(tmp_path, "credential:hub-key"), reader).key == KEY
    with pytest.raises(ConfigurationError, match="LoadCredential="):
        open_kek(settings(tmp_path, "credential:hub-key"), SecretReader(environment={}))


def test_a_key_from_a_descriptor_is_read_once(tmp_path):
    read_end, write_end = os.pipe()
    os.write(write_end, KEY.hex().encode())
    os.close(write_end)
    reader = SecretReader(environment={})
    wanted = settings(tmp_path, f"fd:{read_end}")
    assert open_kek(wanted, reader).key == KEY
    assert open_kek(wanted, reader).key == KEY


def test_a_key_from_a_file_that_others_can_read_is_refused(tmp_path):
    path = tmp_path / "key"
    path.write_text(KEY.hex())
    path.chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod it to 0600"):
        open_kek(settings(tmp_path, f"file:{path}"))
    path.chmod(0o600)
    assert open_kek(settings(tmp_path, f"file:{path}")).key == KEY


def test_a_passphrase_makes_the_same_key_each_time_and_a_wrong_one_is_noticed(tmp_path):
    wanted = settings(tmp_path, "passphrase:prompt")
    made = create_kek(wanted, SecretReader(ask=lambda _what: PASSPHRASE))
    assert open_kek(wanted, SecretReader(ask=lambda _what: PASSPHRASE)) == made
    with pytest.raises(ConfigurationError, match="the passphrase is wrong"):
        open_kek(wanted, SecretReader(ask=lambda _what: "correct horse batterie"))
    (tmp_path / "hub.key.salt").unlink()
    with pytest.raises(ConfigurationError, match=r"hub\.key\.salt can't be read"):
        open_kek(wanted, SecretReader(ask=lambda _what: PASSPHRASE))


def test_a_short_passphrase_makes_no_key(tmp_path):
    with pytest.raises(ConfigurationError, match="at least 12 characters"):
        create_kek(settings(tmp_path, "passphrase:env:P"), SecretReader(environment={"P": "hunter2"}))
    assert not (tmp_path / "hub.key.salt").exists()


@pytest.mark.parametrize("text", ["", "env", "env:", "fd:x", "prompt:x", "vault:x", "credential:../x"])
def test_what_is_no_source(text):
    with pytest.raises(ValueError, match=r"write env|number|slash"):
        SecretSource.parse(text)


@pytest.mark.parametrize("value", ["", "zz", KEY.hex()[:-2]])
def test_what_is_no_key_is_refused_without_showing_it(tmp_path, value):
    with pytest.raises(ConfigurationError) as refused:
        open_kek(settings(tmp_path, "env:HUB_KEY"), SecretReader(environment={"HUB_KEY": value}))
    assert not value or value not in str(refused.value)


def test_nothing_secret_shows():
    reader = SecretReader(environment={"P": PASSPHRASE}, ask=lambda _what: PASSPHRASE)
    reader.read(SecretSource("prompt"), what="PIN")
    assert PASSPHRASE not in repr(reader)
    with pytest.raises(SecretUnavailable):
        reader.read(SecretSource("env", "MISSING"), what="PIN")
