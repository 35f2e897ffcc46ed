"""Reading what Apache prints about its configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.network.servers.apache import ApacheConfiguration, inventory
from agents.network.servers.apache_syntax import parse, words
from agents.network.servers.errors import ConfigurationUnreadableError
from agents.network.servers.model import Program, ServerDefinition

SERVER = ServerDefinition("s", "apache", Path("/etc/x.conf"), Program(Path("/usr/sbin/apache2")))
HOST = "SSLEngine on\nSSLCertificateFile a.pem\nSSLCertificateKeyFile a.key\n"


def nodes(text: str):
    configuration = ApacheConfiguration(parse(text), Path("/srv"), None, None)
    return inventory(SERVER, configuration).nodes


def test_every_directive_says_where_it_came_from():
    tree = parse(
        "# In file: /a.conf\n#   3:\nListen 443\n"
        "# In file: /b.conf\n#  12:\n<VirtualHost *:443>\n</VirtualHost>\n"
    )

    assert tree.directives[0].source == "/a.conf:3"
    assert tree.sections[0].source == "/b.conf:12"


def test_arguments_are_unquoted_as_apache_does():
    assert words(r'"/a b/c.pem" plain ' + r"'single \' quote' back\slash") == (
        "/a b/c.pem",
        "plain",
        "single ' quote",
        r"back\slash",
    )


@pytest.mark.parametrize("text", ["<VirtualHost *:443>", "</VirtualHost>", "<A>\n</B>", "<A\n"])
def test_sections_that_do_not_nest_are_an_error_and_not_a_guess(text):
    with pytest.raises(ConfigurationUnreadableError):
        parse(text)


def test_directives_of_inner_sections_are_not_those_of_the_host():
    (node,) = nodes(
        f"Listen 443\n<VirtualHost *:443>\nServerName a.test\n{HOST}"
        "<Directory /x>\nSSLCertificateFile no.pem\n</Directory>\n</VirtualHost>"
    )

    assert node.files.certificate == Path("/srv/a.pem")
    assert node.files.key == Path("/srv/a.key")
    assert node.management.manageable


def test_files_of_the_main_server_are_inherited_one_by_one():
    (node,) = nodes(
        "Listen 443\nSSLCertificateFile main.pem\nSSLCertificateKeyFile main.key\n"
        "<VirtualHost *:443>\nServerName a.test\nSSLEngine on\nSSLCertificateFile own.pem\n</VirtualHost>"
    )

    assert node.files.certificate == Path("/srv/own.pem")
    assert node.files.key == Path("/srv/main.key")


def test_a_key_may_stand_in_the_certificate_file():
    (node,) = nodes(
        "Listen 443\n<VirtualHost *:443>\nServerName a.test\n"
        "SSLEngine on\nSSLCertificateFile /x/all.pem\n</VirtualHost>"
    )

    assert node.files.paths() == (Path("/x/all.pem"),)


@pytest.mark.parametrize(
    ("listen", "host", "expected"),
    [
        ("Listen 443", "*:443", ["*:443"]),
        ("Listen 10.0.0.1:443\nListen [::1]:443\nListen 80", "_default_:443", ["10.0.0.1:443", "[::1]:443"]),
        ("Listen 443\nListen 8443", "*", ["*:443", "*:8443"]),
        ("Listen 443", "10.0.0.1:443", ["10.0.0.1:443"]),
        ("Listen 443 https", "[2001:db8::1]:443", ["[2001:db8::1]:443"]),
        ("Listen 443\nListen 80", "10.0.0.1:443 10.0.0.2:443", ["10.0.0.1:443", "10.0.0.2:443"]),
    ],
)
def test_a_host_answers_where_the_server_listens(listen, host, expected):
    (node,) = nodes(f"{listen}\n<VirtualHost {host}>\nServerName a.test\n{HOST}</VirtualHost>")

    assert [str(port) for port in node.ports] == expected


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "NoTls"),
        ("SSLEngine off\n", "NoTls"),
        ("SSLEngine on\n", "NoCertificateFile"),
        ("SSLEngine on\nSSLCertificateFile pkcs11:token=x\n", "NotAFile"),
        (HOST + "SSLCertificateFile b.pem\nSSLCertificateKeyFile b.key\n", "SeveralCertificates"),
    ],
)
def test_what_can_not_be_managed_says_why(body, reason):
    (node,) = nodes(f"Listen 443\n<VirtualHost *:443>\nServerName a.test\n{body}</VirtualHost>")

    assert node.management.reason == reason
    assert not node.management.manageable


def test_a_host_on_a_port_nobody_listens_on_is_not_managed():
    (node,) = nodes(f"Listen 80\n<VirtualHost *:443>\nServerName a.test\n{HOST}</VirtualHost>")

    assert node.management.reason == "NotListening"


def test_names_lose_scheme_and_port_and_ids_stay_apart():
    host = f"<VirtualHost *:443>\nServerName https://A.test:443\nServerAlias *.a.test\n{HOST}</VirtualHost>\n"

    first, second = nodes("Listen 443\n" + host * 2)

    assert first.names == ("a.test", "*.a.test")
    assert (first.id, second.id) == ("a.test@*:443", "a.test@*:443#2")
    assert first.ports[0].host == "127.0.0.1"


def test_a_main_server_that_speaks_tls_is_a_node():
    (node,) = nodes(f"Listen 443\nServerName main.test\n{HOST}")

    assert node.names == ("main.test",)
    assert node.management.manageable
