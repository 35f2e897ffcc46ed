"""A real SoftHSM 2 token of its own for each test."""

import os
import shutil
import subprocess
from pathlib import Path

import pkcs11
import pytest

from hub.issuers.private_ca.hsm import Hsm, HsmSettings

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN = "846215"


class Token:
    """A token and the files it is in; ``pin`` is what the hub will read."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.pin = folder, PIN
        self.hsm = Hsm(HsmSettings(module=MODULE, token="certwright", pin=lambda: self.pin))

    def pull(self) -> None:
        shutil.move(self.folder / "tokens", self.folder / "pulled")
        (self.folder / "tokens").mkdir()

    def put_back(self) -> None:
        shutil.rmtree(self.folder / "tokens")
        shutil.move(self.folder / "pulled", self.folder / "tokens")


@pytest.fixture
def token(tmp_path, monkeypatch):
    folder = tmp_path / "hsm"
    (folder / "tokens").mkdir(parents=True)
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(folder / "softhsm2.conf"))
    command = ["softhsm2-util", "--init-token", "--free", "--label", "certwright", "--pin", PIN]
    subprocess.run([*command, "--so-pin", "10203040"], check=True, capture_output=True, env=os.environ.copy())
    pkcs11.unload(str(MODULE))
    yield Token(folder)
    pkcs11.unload(str(MODULE))
