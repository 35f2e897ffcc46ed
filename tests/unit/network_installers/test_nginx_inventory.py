"""Reading nginx configurations with includes and inheritance."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.network.servers.errors import ConfigurationUnreadableError
from agents.network.servers.model import Program, ServerDefinition
from agents.network.servers.nginx import inventory, read_configuration

PAIR = "ssl_certificate a.pem; ssl_certificate_key a.key;"


@pytest.fixture
def nodes(tmp_path):
    def read(http: str):
        config = tmp_path / "nginx.conf"
        config.write_text(f"events {{}}\nhttp {{\n{http}\n}}\n")
        server = ServerDefinition("s", "nginx", config, Program(Path("/usr/sbin/nginx")))
        return inventory(server, read_configuration(server)).nodes

    return read


def test_blocks_in_included_files_say_where_they_stand(nodes, tmp_path):
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites" / "a.conf").write_text(
        "\n\nserver { listen 443 ssl; server_name a.test; include tls.inc; }"
    )
    (tmp_path / "tls.inc").write_text(PAIR)

    (node,) = nodes("include sites/*.conf;")

    assert node.source == f"{tmp_path}/sites/a.conf:3"
    assert node.files.certificate == tmp_path / "a.pem"
    assert node.management.manageable


def test_a_snippet_may_be_included_by_many_blocks(nodes, tmp_path):
    (tmp_path / "tls.inc").write_text(PAIR)
    block = "server {{ listen 443 ssl; server_name {}; include tls.inc; }}"

    found = nodes(block.format("a.test") + block.format("b.test"))

    assert [node.files.key for node in found] == [tmp_path / "a.key"] * 2


def test_certificates_of_the_http_block_hold_unless_a_server_has_its_own(nodes, tmp_path):
    first, second = nodes(
        f"{PAIR} server {{ listen 443 ssl; server_name a.test; }}"
        "server { listen 443 ssl; server_name b.test; ssl_certificate /b.pem; ssl_certificate_key /b.key; }"
    )

    assert first.files.certificate == tmp_path / "a.pem"
    assert second.files.certificate == Path("/b.pem")


def test_ssl_on_one_listen_holds_for_the_address(nodes):
    first, second = nodes(
        f"{PAIR} server {{ listen 443 ssl; server_name a.test; }}server {{ listen 443; server_name b.test; }}"
    )

    assert first.tls_ports
    assert second.tls_ports


@pytest.mark.parametrize(
    ("listen", "expected"),
    [
        ("", ["*:80"]),
        ("listen 8443 ssl;", ["*:8443"]),
        ("listen *:8443 ssl http2;", ["*:8443"]),
        ("listen 10.0.0.1 ssl;", ["10.0.0.1:80"]),
        ("listen localhost:8443 ssl;", ["localhost:8443"]),
        ("listen 443 ssl; listen [::]:443 ssl ipv6only=on;", ["*:443", "[::]:443"]),
        ("listen [::1] ssl;", ["[::1]:80"]),
        ("listen unix:/run/x.sock ssl; listen 443 ssl;", ["*:443"]),
    ],
)
def test_listen_forms(nodes, listen, expected):
    (node,) = nodes(f"server {{ {listen} server_name a.test; {PAIR} }}")

    assert [str(port) for port in node.ports] == expected


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("listen 80;", "NoTls"),
        ("listen 443 ssl;", "NoCertificateFile"),
        ("listen 443 ssl; ssl_certificate $ssl_server_name.pem; ssl_certificate_key a.key;", "NotAFile"),
        ("listen 443 ssl; ssl_certificate a.pem; ssl_certificate_key engine:x:y;", "NotAFile"),
        (f"listen 443 ssl; {PAIR} ssl_certificate b.pem; ssl_certificate_key b.key;", "SeveralCertificates"),
    ],
)
def test_what_can_not_be_managed_says_why(nodes, body, reason):
    (node,) = nodes(f"server {{ {body} }}")

    assert node.management.reason == reason


def test_names_that_are_no_names_are_left_out(nodes):
    (node,) = nodes(f'server {{ listen 443 ssl; server_name _ "" .a.test ~^x; {PAIR} }}')

    assert node.names == ("a.test", "*.a.test", "~^x")
    assert node.server_name == "a.test"


def test_an_included_file_that_is_missing_is_an_error(nodes):
    with pytest.raises(ConfigurationUnreadableError):
        nodes("include missing.conf;")
