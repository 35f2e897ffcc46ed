"""servers.toml, detection, and finding plug-ins."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from agents.network.installers.registry import GROUP, load_installers
from agents.network.servers.definitions import detect, load_definitions
from agents.network.servers.errors import DefinitionsMalformedError


def write(state: Path, text: str) -> Path:
    (state / "servers.toml").write_text(text)
    return state


ENTRY = '[[server]]\nname = "front"\nkind = "nginx"\nconfig = "/c"\nprogram = "/p"\n'


def test_a_server_is_defined_with_all_it_needs(tmp_path):
    (found,) = load_definitions(
        write(
            tmp_path,
            ENTRY + 'arguments = ["-e", "/log"]\nenvironment = {A = "b"}\nreload = ["systemctl", "x"]\n',
        )
    )

    assert (found.name, found.kind, found.config) == ("front", "nginx", Path("/c"))
    assert found.program.arguments == ("-e", "/log")
    assert found.program.environment == (("A", "b"),)
    assert found.commands.reload == ("systemctl", "x")
    assert found.commands.start is None


@pytest.mark.parametrize(
    "text",
    [
        "[[server",
        ENTRY + ENTRY,
        ENTRY + "surprise = 1\n",
        ENTRY.replace("front", "../front"),
        ENTRY + "reload = []\n",
    ],
)
def test_mistakes_in_the_file_are_told(tmp_path, text):
    with pytest.raises(DefinitionsMalformedError):
        load_definitions(write(tmp_path, text))


@pytest.fixture
def system(tmp_path):
    root = tmp_path / "root"
    for name in ("usr/sbin/apache2ctl", "etc/apache2/apache2.conf", "usr/sbin/nginx"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def test_without_a_file_the_usual_places_count(tmp_path, system):
    (found,) = load_definitions(tmp_path, system_root=system)

    assert (found.name, found.kind, found.program.path) == (
        "system-apache",
        "apache",
        Path("/usr/sbin/apache2ctl"),
    )


def test_with_a_file_they_count_only_when_it_says_so(tmp_path, system):
    assert len(load_definitions(write(tmp_path, ENTRY), system_root=system)) == 1
    assert len(load_definitions(write(tmp_path, "detect = true\n" + ENTRY), system_root=system)) == 2
    assert load_definitions(write(tmp_path, ""), system_root=system) == ()
    assert [each.kind for each in detect(system)] == ["apache"]


def test_a_plug_in_of_somebody_else_is_found_by_its_entry_point(tmp_path, monkeypatch):
    (tmp_path / "foreign_server.py").write_text("class Installer:\n    pass\n")
    metadata = tmp_path / "foreign_server-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign-server\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[{GROUP}]\nforeign = foreign_server:Installer\n")
    monkeypatch.syspath_prepend(str(tmp_path))

    found = load_installers()

    assert type(found["foreign"]) is sys.modules["foreign_server"].Installer
