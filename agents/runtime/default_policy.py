"""The policy that enrollment writes: enough for the everyday, nothing that lets a key out."""

_HEAD = """\
# What the hub may ask of this agent. The hub can't change this file; edits take effect with the next command.
# `certwright-agent policy check --state-dir DIR` tells whether it can be read. Where there is a
# /etc/certwright/policy.toml, it counts instead of this one.

# Kinds of commands that are carried out at all.
commands = [{commands}]

# Receivers to which this agent may seal a private key: "never", or a list of fingerprints as
# `certwright-agent status` prints them on the receiving host, such as ["sha256:0123..."].
key_export = "never"
"""

_SCAN = """
[scan]
# Networks that may be scanned; names are looked up first and count by their addresses. Private and loopback
# addresses by default: add your public networks here.
allow = [
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8",
    "fc00::/7", "::1/128",
]
# Never scanned, even inside the above.
deny = []
max_connects_per_second = 2000
"""

_INSTALL = """
[install]
# Files that may be replaced: a path and everything below it; * stands for one part's name.
paths = [{paths}]
# Servers, by their names in the inventory, on which certificates may be installed; * stands for any.
servers = ["*"]
"""

_DOMAIN_CONTROL = """
[domain_control]
# Checks of domain control look names up and fetch files from ports 80 and 443 of the public internet only.
# More networks and ports:
allow = []
ports = []
# Recursive resolvers to ask, as address or address#port; empty: this host's own.
nameservers = []
"""

_CHALLENGES = """
[challenges]
# Names for which challenges of ACME CAs may be answered; * stands for anything.
domains = ["*"]
# Where: a listener that runs only while there is something to answer, such as "0.0.0.0:80", or a folder that
# a web server of this host serves; and "0.0.0.0:443" for tls-alpn-01. Empty: not at all.
http_listen = ""
http_webroot = ""
tls_listen = ""
# Seconds after which an answer goes by itself.
max_lifetime_s = 3600
"""

_KEY_DOWNLOAD = """
[key_download]
# Who may download a private key as a file: "never", or a list of receivers' fingerprints as the console and
# `certwright key receiver` show them. "any-receiver" lets the hub decide: whoever controls it gets the keys.
receivers = "never"
"""

_COMMANDS = {
    "network": (
        "DiscoverNetwork",
        "DiscoverServers",
        "GenerateCertificate",
        "StoreCertificate",
        "InstallCertificate",
        "DeleteKey",
        "CheckDomainControl",
        "RestartServer",
        "ServeChallenge",
        "WithdrawChallenge",
    ),
    "pks": (
        "GenerateCertificate",
        "StoreCertificate",
        "ExportKey",
        "DeleteKey",
        "ExportKeyFile",
        "ImportKey",
    ),
}
_PATHS = (
    "/etc/apache2",
    "/etc/httpd",
    "/etc/nginx",
    "/etc/ssl",
    "/etc/pki/tls",
    "/usr/local/etc/nginx",
    "/usr/local/apache2/conf",
)


def _quoted(items: tuple[str, ...]) -> str:
    return ", ".join(f'"{item}"' for item in items)


def default_policy(kind: str) -> str:
    """The file's text for a kind of agent."""
    text = _HEAD.format(commands=_quoted(_COMMANDS[kind]))
    if kind == "network":
        text += _SCAN + _INSTALL.format(paths=_quoted(_PATHS)) + _DOMAIN_CONTROL + _CHALLENGES
    else:
        text += _KEY_DOWNLOAD
    return text
