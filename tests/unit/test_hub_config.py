"""Settings: which source wins, what is refused, and the key-encryption key's file."""

from __future__ import annotations

import pytest

from hub.config import Address, ConfigurationError, create_key, load_key, load_settings


def test_flags_win_over_variables_over_the_file(tmp_path):
    (tmp_path / "config.toml").write_text(
        'http = "127.0.0.1:1"\ngrpc = "127.0.0.1:1"\nenroll = "127.0.0.1:1"\nnames = ["a.example"]\n'
    )
    settings = load_settings(
        flags={"data_dir": str(tmp_path), "http": "127.0.0.1:3", "grpc": None},
        environment={
            "CERTWRIGHT_HTTP": "127.0.0.1:2",
            "CERTWRIGHT_GRPC": "127.0.0.1:2",
            "CERTWRIGHT_TRUSTED_PROXIES": "10.0.0.0/8,192.0.2.1",
        },
    )
    assert (settings.http, settings.grpc, settings.enroll) == ("127.0.0.1:3", "127.0.0.1:2", "127.0.0.1:1")
    assert settings.trusted_proxies == ("10.0.0.0/8", "192.0.2.1")
    assert settings.server_names[0] == "a.example"
    assert settings.database == f"sqlite:///{tmp_path}/hub.db"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('http = "nowhere"', "setting http"),
        ("nothing = 1", "setting nothing"),
        ('database_url = "mysql://x/y"', "mysql"),
        ('trusted_proxies = ["x"]', "trusted_proxies"),
        ("not toml", "config.toml"),
    ],
)
def test_wrong_settings_are_named(tmp_path, text, message):
    (tmp_path / "config.toml").write_text(text)
    with pytest.raises(ConfigurationError, match=message):
        load_settings(flags={"data_dir": tmp_path}, environment={})


def test_plain_http_stays_on_this_machine_or_behind_a_proxy(tmp_path):
    base = {"data_dir": tmp_path, "insecure_http": True}
    load_settings(flags={**base, "http": "[::1]:80"}, environment={}).check_listening()
    load_settings(
        flags={**base, "http": "0.0.0.0:80", "trusted_proxies": ["10.0.0.1"]}, environment={}
    ).check_listening()
    with pytest.raises(ConfigurationError, match="loopback"):
        load_settings(flags={**base, "http": "0.0.0.0:80"}, environment={}).check_listening()


def test_addresses_are_read_and_written():
    assert str(Address.parse("[::1]:8443")) == "[::1]:8443"
    assert Address.parse("localhost:0").is_loopback
    for bad in ("8443", "host:", "host:x", "host:70000"):
        with pytest.raises(ValueError):
            Address.parse(bad)


def test_the_key_is_made_once_and_kept_from_others(tmp_path):
    path = tmp_path / "hub.key"
    key = create_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert create_key(path).key_id == key.key_id == load_key(path).key_id
    path.chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod"):
        load_key(path)
    path.chmod(0o600)
    path.write_text("xyz")
    with pytest.raises(ConfigurationError, match="damaged"):
        load_key(path)
    with pytest.raises(ConfigurationError, match="No such file"):
        load_key(tmp_path / "absent")
