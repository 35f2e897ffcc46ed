"""The administrator's folder of lists of published keys."""

import pytest

from hub.composition import load_weak_keys
from hub.config import ConfigurationError, load_settings
from pki.weak_key_lists import modulus_digest

MODULI = (2**2047 + 1, 2**2047 + 3)


def settings(tmp_path, **more):
    return load_settings(flags={"data_dir": str(tmp_path), **more}, environment={})


def write(folder, **files):
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)


def test_without_a_folder_nothing_is_known(tmp_path):
    assert len(load_weak_keys(settings(tmp_path))) == 0


def test_all_files_of_the_folder_are_read(tmp_path):
    first, second = (modulus_digest(modulus).hex() for modulus in MODULI)
    write(tmp_path / "weak-keys", debian=f"# RSA-2048\n{first}\n", own=f"{second}\n{first}\n")
    keys = load_weak_keys(settings(tmp_path))
    assert len(keys) == 2
    assert all(modulus in keys for modulus in MODULI)


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
