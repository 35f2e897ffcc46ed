"""The administrator's folder of lists of published keys."""

import hashlib

import pytest

from hub.config import ConfigurationError, load_settings
from hub.service_options import load_weak_keys
from pki.weak_key_lists import modulus_digest

MODULI = (2**2047 + 1, 2**2047 + 3)


def settings(tmp_path, **more):
    return load_settings(flags={"data_dir": str(tmp_path), **more}, environment={})


def write(folder, **files):
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)


def test_without_a_folder_nothing_is_known(tmp_path):
    assert MODULI[0] not in load_weak_keys(settings(tmp_path))


def test_all_files_of_the_folder_are_read(tmp_path):
    first, second = (modulus_digest(modulus).hex() for modulus in MODULI)
    write(tmp_path / "weak-keys", debian=f"# RSA-2048\n{first}\n", own=f"{second}\n{first}\n")
    keys = load_weak_keys(settings(tmp_path))
    assert all(modulus in keys for modulus in MODULI)
    assert MODULI[0] + 4 not in keys


def test_a_block_list_is_read_beside_the_others(tmp_path):
    write(tmp_path / "weak-keys", own=modulus_digest(MODULI[0]).hex())
    listed = hashlib.sha256(MODULI[1].to_bytes(256, "big")).digest()[:15] + b"\x01"
    (tmp_path / "weak-keys" / "blocklist.dat").write_bytes(listed)
    keys = load_weak_keys(settings(tmp_path))
    assert all(modulus in keys for modulus in MODULI)
    (tmp_path / "weak-keys" / "blocklist.dat").write_bytes(listed[:-1])
    with pytest.raises(ConfigurationError, match=r"blocklist\.dat: .*cut off"):
        load_weak_keys(settings(tmp_path))


def test_another_folder_may_be_named_and_must_be_there(tmp_path):
    write(tmp_path / "lists", own=modulus_digest(MODULI[0]).hex())
    assert MODULI[0] in load_weak_keys(settings(tmp_path, weak_keys_dir=str(tmp_path / "lists")))
    with pytest.raises(ConfigurationError, match="not a folder"):
        load_weak_keys(settings(tmp_path, weak_keys_dir=str(tmp_path / "absent")))


@pytest.mark.parametrize("content", [b"nonsense\n", b"\xff\xfe\x00"])
def test_a_file_that_is_no_list_keeps_the_hub_from_starting(tmp_path, content):
    write(tmp_path / "weak-keys")
    (tmp_path / "weak-keys" / "broken").write_bytes(content)
    with pytest.raises(ConfigurationError, match="broken"):
        load_weak_keys(settings(tmp_path))
