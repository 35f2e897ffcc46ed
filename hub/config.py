"""Settings of a hub: flags first, then ``CERTWRIGHT_*`` variables, then ``DIR/config.toml``, then defaults.

This module reads the environment, and :mod:`hub.secret_sources`. Names are the same everywhere: the flag
``--public-url``, the variable ``CERTWRIGHT_PUBLIC_URL`` and the key ``public_url``.
"""

from __future__ import annotations

import ipaddress
import json
import os
import socket
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from hub.db.engine import async_url
from hub.secret_sources import SecretSource
from pki.at_rest import KEY_BYTES, KeyEncryptionKey, new_key

PREFIX = "CERTWRIGHT_"
CONFIG_FILE = "config.toml"
WEAK_KEYS_FOLDER = "weak-keys"
CA_PROGRAMS_FOLDER = "ca-programs"
KEY_FILE = "hub.key"
SALT_FILE = "hub.key.salt"
RUN_FILE = "run.json"
DATABASE_FILE = "hub.db"
_LISTS = frozenset(
    {
        "names",
        "trusted_proxies",
        "dcv_nameservers",
        "dcv_allowed_networks",
        "dcv_allowed_ports",
        "notification_allowed_networks",
    }
)
_LOOPBACK_NAMES = frozenset({"localhost"})


class ConfigurationError(Exception):
    """The settings are wrong; the message says which and why."""


class Address(BaseModel):
    """Where to listen: host and port; port 0 takes a free one."""

    model_config = ConfigDict(frozen=True)

    host: str
    port: int = Field(ge=0, le=65535)

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read ``host:port`` or ``[v6]:port``; raises ValueError."""
        host, separator, port = text.strip().rpartition(":")
        if not separator or not host or not port.isdigit():
            raise ValueError("write HOST:PORT, such as 127.0.0.1:8443 or [::1]:8443")
        return cls(host=host.removeprefix("[").removesuffix("]"), port=int(port))

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host in _LOOPBACK_NAMES

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Settings(BaseModel):
    """Everything a hub can be told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data_dir: Path = Field(description="Folder of the hub's files: key, database, configuration.")
    database_url: str = Field(
        default="", description="sqlite:///FILE or postgresql://...; default DIR/hub.db."
    )
    key_file: str = Field(default="", description="Key-encryption key; default DIR/hub.key. Back it up.")
    key_source: str = Field(
        default="",
        description="Where the key-encryption key comes from instead: env:NAME, credential:NAME (systemd),"
        " file:PATH, fd:NUMBER or prompt; with passphrase: before it, what is read there is a passphrase.",
    )
    hsm_module: str = Field(
        default="", description="PKCS#11 module (.so) of the HSM for CA keys; empty: there is none."
    )
    hsm_token: str = Field(default="", description="Label of the token in the HSM.")
    hsm_pin_source: str = Field(
        default="", description="Where its PIN comes from: as key_source, without passphrase."
    )
    http: str = Field(default="127.0.0.1:8443", description="Console and API.")
    grpc: str = Field(default="0.0.0.0:8444", description="Control channel of agents (mutual TLS).")
    enroll: str = Field(default="0.0.0.0:8445", description="Enrollment of agents.")
    status_http: str = Field(
        default="", description="Plain HTTP for CRLs and CA certificates only; empty: not served separately."
    )
    insecure_http: bool = Field(
        default=False, description="No TLS for the console and API: on loopback, or behind a proxy."
    )
    trusted_proxies: tuple[str, ...] = Field(
        default=(), description="Networks of proxies whose X-Forwarded-For is believed."
    )
    client_certificate_ca: str = Field(
        default="", description="PEM of CAs with whose client certificates administrators may sign in."
    )
    client_certificate_crl: str = Field(
        default="", description="PEM of those CAs' revocation lists; read again when the file changes."
    )
    client_cert_http: str = Field(
        default="",
        description="Second address of the console, where browsers are asked for a client certificate; "
        "empty: the first one asks.",
    )
    key_access_requires: Literal["second_factor", "client_certificate", "none"] = Field(
        default="second_factor",
        description="What a sign-in must have shown before private keys are downloaded, uploaded or removed.",
    )
    names: tuple[str, ...] = Field(
        default=(), description="DNS names and addresses under which the hub is reached."
    )
    tls_certificate: str = Field(
        default="", description="PEM chain for the console and API; default: from the hub's own CA."
    )
    tls_key: str = Field(default="", description="Its private key, PEM.")
    agent_host: str = Field(
        default="", description="Host name that agents dial; default: the listener's, or this machine's."
    )
    customer_uri: str = Field(
        default="default",
        pattern=r"^[a-z0-9][a-z0-9-]{0,62}$",
        description="Word in the public forms' addresses.",
    )
    public_url: str = Field(default="", description="Where people and relying parties reach the hub.")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "json", "console"] = "auto"
    smtp_host: str = Field(default="", description="Mail server; empty: the hub sends no mail.")
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_from: str = Field(default="", description="Address that mail comes from.")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="`tls`: from the first byte, as on port 465; `none`: on loopback."
    )
    smtp_username: str = ""
    smtp_password: str = Field(default="", repr=False)
    dcv_nameservers: tuple[str, ...] = Field(
        default=(),
        description="Recursive, DNSSEC-validating resolvers for domain validation, as ADDRESS or"
        " ADDRESS#PORT; empty: the system's.",
    )
    dcv_allowed_networks: tuple[str, ...] = Field(
        default=(),
        description="Networks beside the public internet from which validation files may be fetched.",
    )
    dcv_allowed_ports: tuple[int, ...] = Field(
        default=(), description="Ports beside 80 and 443 from which validation files may be fetched."
    )
    dcv_issuer: str = Field(
        default="", description="Issuer's domain name in persistent records; default: the public URL's host."
    )
    ca_programs_dir: str = Field(
        default="", description="Folder of programs that CA backends may call; default DIR/ca-programs."
    )
    weak_keys_dir: str = Field(
        default="",
        description="Folder of lists of published keys, as Debian's openssl-blacklist has them; default"
        " DIR/weak-keys.",
    )
    notification_allowed_networks: tuple[str, ...] = Field(
        default=(),
        description="Networks beside the public internet where webhooks, chats and mail servers of channels"
        " may be.",
    )
    session_idle_minutes: int = Field(default=30, ge=1, le=1440)
    session_hours: int = Field(default=12, ge=1, le=168)
    agent_heartbeat_s: int = Field(
        default=20, ge=1, le=3600, description="Seconds between two signs of life of a connected agent."
    )
    agent_silence_s: int = Field(
        default=60,
        ge=2,
        le=7200,
        description="Seconds without one after which the connection counts as lost.",
    )

    @field_validator("http", "grpc", "enroll", "status_http", "client_cert_http")
    @classmethod
    def _valid_address(cls, value: str) -> str:
        if value:
            Address.parse(value)
        return value

    @field_validator("key_source", "hsm_pin_source")
    @classmethod
    def _valid_source(cls, value: str) -> str:
        if value:
            SecretSource.parse(value)
        return value

    @field_validator("database_url")
    @classmethod
    def _valid_database(cls, value: str) -> str:
        if value:
            async_url(value)
        return value

    @field_validator("dcv_nameservers")
    @classmethod
    def _valid_nameservers(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for item in value:
            nameserver(item)
        return value

    @field_validator("trusted_proxies", "dcv_allowed_networks", "notification_allowed_networks")
    @classmethod
    def _valid_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for item in value:
            ipaddress.ip_network(item)
        return value

    @model_validator(mode="after")
    def _silence_longer_than_heartbeat(self) -> Self:
        if self.agent_silence_s <= self.agent_heartbeat_s:
            raise ValueError("agent_silence_s must be more than agent_heartbeat_s")
        return self

    @model_validator(mode="after")
    def _hsm_is_whole(self) -> Self:
        given = [bool(value) for value in (self.hsm_module, self.hsm_token, self.hsm_pin_source)]
        if any(given) and not all(given):
            raise ValueError("hsm_module, hsm_token and hsm_pin_source go together")
        if self.hsm_pin_source.startswith("passphrase:"):
            raise ValueError("hsm_pin_source is no passphrase")
        return self

    @model_validator(mode="after")
    def _asking_needs_authorities(self) -> Self:
        if self.client_cert_http and not self.client_certificate_ca:
            raise ValueError("client_cert_http needs client_certificate_ca")
        return self

    @property
    def database(self) -> str:
        """The database's URL."""
        return self.database_url or f"sqlite:///{(self.data_dir / DATABASE_FILE).absolute()}"

    @property
    def key_path(self) -> Path:
        """The file of the key-encryption key."""
        return Path(self.key_file) if self.key_file else self.data_dir / KEY_FILE

    @property
    def salt_path(self) -> Path:
        """The file of the salt that a passphrase needs; nothing secret, but back it up."""
        return self.data_dir / SALT_FILE

    @property
    def weak_keys_path(self) -> Path:
        """The folder of lists of published keys; it need not exist."""
        return Path(self.weak_keys_dir) if self.weak_keys_dir else self.data_dir / WEAK_KEYS_FOLDER

    @property
    def ca_programs(self) -> Path:
        """The folder of programs that CA backends may call; it need not exist."""
        return Path(self.ca_programs_dir) if self.ca_programs_dir else self.data_dir / CA_PROGRAMS_FOLDER

    @property
    def http_address(self) -> Address:
        """Where console and API listen."""
        return Address.parse(self.http)

    @property
    def proxies(self) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        """The trusted proxies' networks."""
        return tuple(ipaddress.ip_network(item) for item in self.trusted_proxies)

    @property
    def server_names(self) -> tuple[str, ...]:
        """Names for the hub's own certificate: configured ones, this host, loopback."""
        own = [socket.gethostname(), "localhost", "127.0.0.1", "::1"]
        hosts = [Address.parse(item).host for item in (self.http, self.grpc, self.enroll)]
        own += [host for host in [self.agent_host, *hosts] if not _is_wildcard(host)]
        return tuple(dict.fromkeys(name for name in [*self.names, *own] if name))

    @property
    def base_url(self) -> str:
        """Where people reach the hub: ``public_url``, or made from the listener's address."""
        if self.public_url:
            return self.public_url.rstrip("/")
        if "http" in self.running:
            return self.running["http"]
        address = self.http_address
        host = socket.gethostname() if _is_wildcard(address.host) else address.host
        scheme = "http" if self.insecure_http else "https"
        return f"{scheme}://{Address(host=host, port=address.port)}"

    @property
    def status_base_url(self) -> str:
        """Where CRLs and CA certificates are published; in the clear where there is a listener for it."""
        if self.public_url or not self.status_http:
            return self.base_url
        return f"http://{self.reached_at(self.status_http, Address.parse(self.status_http).port)}"

    def reached_at(self, address: str, port: int) -> str:
        """Return HOST:PORT at which agents reach a listener bound to ``address`` and ``port``."""
        host = self.agent_host or Address.parse(address).host
        if _is_wildcard(host):
            host = self.names[0] if self.names else socket.gethostname()
        return str(Address(host=host, port=port))

    @property
    def running(self) -> dict[str, str]:
        """Where the hub of this data directory listens now; empty when none runs."""
        try:
            found: dict[str, str] = json.loads((self.data_dir / RUN_FILE).read_text())
            # A hub that was killed left its file behind.
            os.kill(int(found["pid"]), 0)
        except PermissionError:
            return found
        except (OSError, ValueError, KeyError):
            return {}
        return found

    @property
    def enroll_address(self) -> str:
        """HOST:PORT at which agents enroll: of the running hub, or as configured."""
        configured = Address.parse(self.enroll)
        return self.running.get("enroll") or self.reached_at(self.enroll, configured.port)

    def check_listening(self) -> None:
        """Refuse what would send passwords over a network in the clear.

        Raises:
            ConfigurationError: plain HTTP on an address that others can reach, without a trusted proxy.
        """
        if self.insecure_http and not self.http_address.is_loopback and not self.trusted_proxies:
            raise ConfigurationError(
                "--insecure-http is for loopback addresses, or behind a proxy named in trusted_proxies"
            )


def nameserver(text: str) -> tuple[str, int]:
    """Read ``ADDRESS`` or ``ADDRESS#PORT``; raises ValueError."""
    address, _, port = text.partition("#")
    number = int(port) if port else 53
    if not 0 < number <= 65535:
        raise ValueError(f"{port} is no port")
    return str(ipaddress.ip_address(address)), number


def _is_wildcard(host: str) -> bool:
    return host in {"0.0.0.0", "::", ""}  # noqa: S104 - recognized, not bound


def load_settings(*, flags: Mapping[str, Any], environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings; ``flags`` that are None were not given.

    Raises:
        ConfigurationError: a file can't be read, or a value is wrong.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    variables = _from_environment(os.environ if environment is None else environment)
    merged = {**variables, **given}
    data_dir = Path(merged.get("data_dir") or ".")
    merged["data_dir"] = data_dir
    try:
        return Settings.model_validate({**_from_file(data_dir / CONFIG_FILE), **merged})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"setting {name}: {first['msg']}") from None


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in Settings.model_fields:
        value = environment.get(PREFIX + name.upper())
        if value is not None:
            found[name] = [item for item in value.split(",") if item] if name in _LISTS else value
    return found


def _from_file(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            found = tomllib.load(file)
    except FileNotFoundError:
        return {}
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{path}: {error}") from error
    found.pop("data_dir", None)
    return found


def write_config(data_dir: Path, values: Mapping[str, str]) -> None:
    """Put settings into ``DIR/config.toml``, readable by its owner only: a database URL may hold a password.

    Raises:
        ConfigurationError: the file is there already, or can't be written.
    """
    path = data_dir / CONFIG_FILE
    lines = "".join(f"{name} = {json.dumps(value)}\n" for name, value in sorted(values.items()))
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from error
    with os.fdopen(descriptor, "w") as file:
        file.write(lines)


def create_key(path: Path) -> KeyEncryptionKey:
    """Make the key-encryption key's file, readable by its owner only; keep one that is there.

    Raises:
        ConfigurationError: the file can't be written, or an existing one is no key.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return load_key(path)
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from error
    with os.fdopen(descriptor, "w") as file:
        file.write(new_key().hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    return load_key(path)


def load_key(path: Path) -> KeyEncryptionKey:
    """Read the key-encryption key.

    Raises:
        ConfigurationError: it is missing, damaged, or readable by others.
    """
    try:
        others = path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
        text = path.read_text().strip()
    except OSError as error:
        raise ConfigurationError(f"the hub's key {path}: {error.strerror}") from error
    # Group-readable is how service managers hand keys over; the rest of the machine is too much.
    if others & stat.S_IRWXO:
        raise ConfigurationError(f"the hub's key {path} can be read by everybody; chmod it to 0600")
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigurationError(f"the hub's key {path} is damaged: it holds no {KEY_BYTES} bytes in hex")
    return KeyEncryptionKey(key)
