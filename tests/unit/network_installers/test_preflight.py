"""The checks before the first write, one by one."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from agents.network.installers.errors import RefusedError
from agents.network.installers.material import Material
from agents.network.installers.preflight import Facts, covers, first_finding, uncovered_names
from agents.network.servers.model import (
    CertificateFiles,
    Inventory,
    Manageability,
    Node,
    Port,
    Program,
    ServerDefinition,
)
from tests.real_servers.certificates import Authority, self_signed

AUTHORITY = Authority()
LEAF = AUTHORITY.leaf("a.test", "*.w.test")
FILES = CertificateFiles(Path("/x/a.pem"), Path("/x/a.key"))
NODE = Node("a", ("a.test",), "/c:1", (Port("*", 443, tls=True),), FILES)
SERVER = ServerDefinition("s", "nginx", Path("/c"), Program(Path("/usr/sbin/nginx")))


def material(leaf=LEAF, **changes) -> Material:
    return replace(Material.from_der(*leaf.der), **changes)


def reason(node=NODE, others=(), given=None, now=None):
    inventory = Inventory(SERVER, (node, *others))
    finding = first_finding(Facts(given or material(), node, inventory, now or dt.datetime.now(dt.UTC)))
    return finding.reason if finding else None


def test_good_material_for_a_node_passes():
    assert reason() is None


def test_a_node_that_may_not_be_managed_keeps_its_own_reason():
    assert reason(replace(NODE, management=Manageability("KeyEncrypted", "it is"))) == "KeyEncrypted"


def test_the_key_must_belong_to_the_certificate():
    assert reason(given=material(key=self_signed("a.test").key)) == "KeyDiffersFromCertificate"


@pytest.mark.parametrize(("days", "expected"), [(31, "CertificateExpired"), (-90, "CertificateNotYetValid")])
def test_the_certificate_must_be_valid_now(days, expected):
    assert reason(now=dt.datetime.now(dt.UTC) + dt.timedelta(days=days)) == expected


def test_the_chain_must_be_in_order_and_belong_together():
    chain = (AUTHORITY.issuer, AUTHORITY.root)

    assert reason(given=material(chain=chain)) is None
    assert reason(given=material(chain=chain[::-1])) == "ChainOutOfOrder"
    assert reason(given=material(chain=(Authority().issuer,))) == "ChainOutOfOrder"


def test_a_root_behind_its_intermediates_is_not_sent():
    certificate, chain, key = LEAF.der
    root = AUTHORITY.root.public_bytes(serialization.Encoding.DER)

    assert Material.from_der(certificate, (*chain, root), key).chain == LEAF.chain


def test_a_server_with_a_chain_file_needs_a_chain():
    node = replace(NODE, files=replace(FILES, chain=Path("/x/chain.pem")))

    assert reason(node, given=material(chain=())) == "ChainMissing"


def test_every_node_that_shares_the_files_must_be_covered():
    assert reason(others=[replace(NODE, id="b", names=("b.test",))]) == "NameNotCovered"
    assert reason(others=[replace(NODE, id="b", names=("b.w.test",))]) is None


def test_a_file_that_another_node_combines_otherwise_stays():
    other = replace(NODE, id="b", names=("b.test",), files=CertificateFiles(Path("/x/b.pem"), FILES.key))

    assert reason(others=[other]) == "FileShared"


@pytest.mark.parametrize(
    ("name", "covered"),
    [
        ("a.test", True),
        ("A.TEST", True),
        ("b.test", False),
        ("x.w.test", True),
        ("*.w.test", True),
        ("w.test", False),
        ("x.y.w.test", False),
        ("192.0.2.1", False),
    ],
)
def test_names_are_compared_as_clients_do(name, covered):
    assert covers(LEAF.certificate, name) is covered


def test_names_beyond_the_first_are_told_and_no_obstacle():
    node = replace(NODE, names=("a.test", "www.a.test", "~^expr"))

    assert reason(node) is None
    assert uncovered_names(LEAF.certificate, [node]) == ("www.a.test",)


@pytest.mark.parametrize("position", [0, 1, 2])
def test_malformed_material_is_refused_without_quoting_it(position):
    parts = list(LEAF.der)
    parts[position] = (b"secret",) if position == 1 else b"secret"

    with pytest.raises(RefusedError) as caught:
        Material.from_der(*parts)

    assert caught.value.code == "MaterialMalformed"
    assert "secret" not in str(caught.value)


def test_a_key_does_not_show_in_representations():
    assert "key=" not in repr(material())
