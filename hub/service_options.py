"""From settings to what services are told: mail servers, lists of keys, hardware modules, trust."""

from __future__ import annotations

import mmap
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access.signin.client_trust import ClientTrust, CrlFile, load_authorities
from hub.access.signin.service import SignInOptions
from hub.config import ConfigurationError, Settings, nameserver
from hub.db.uow import Database
from hub.fleet.service import FleetService
from hub.fleet.vantage import FleetVantage
from hub.issuers.private_ca.hsm import Hsm, HsmSettings
from hub.lifecycle.models import Certificate
from hub.lifecycle.states import CertificateStatus
from hub.notifications.notifiers.email import EmailSettings
from hub.notifications.notifiers.registry import installed_notifiers
from hub.notifications.service import NotificationOptions
from hub.organizations.dcv.contract import Probes
from hub.organizations.dcv.mailing import SmtpMailer, SmtpSettings
from hub.organizations.dcv.probes import DnsResolver, ProbeSettings, SafeFetcher
from hub.organizations.dcv.records import DcvOptions, DcvTools
from hub.organizations.dcv.registry import installed_methods, installed_writers
from hub.secret_sources import SecretReader, SecretSource
from pki.at_rest import KeyEncryptionKey
from pki.errors import MalformedKeyList
from pki.weak_key_lists import Blocklist, KnownInAny, KnownKeys, merged, read_weak_key_list


def load_hsm(settings: Settings) -> Hsm | None:
    """Return the HSM of the settings, which is asked for nothing yet; None where there is none."""
    if not settings.hsm_module:
        return None
    source, reader = SecretSource.parse(settings.hsm_pin_source), SecretReader()
    return Hsm(
        HsmSettings(
            module=Path(settings.hsm_module),
            token=settings.hsm_token,
            pin=lambda: reader.read(source, what="the HSM's PIN"),
        )
    )


def load_weak_keys(settings: Settings) -> KnownKeys:
    """Read the lists of published keys; none where there is no such folder. ``.dat`` files are block lists.

    Raises:
        ConfigurationError: a file can't be read, or is no such list. It is not passed over: who put it there
            relies on it.
    """
    folder = settings.weak_keys_path
    if not folder.is_dir():
        if settings.weak_keys_dir:
            raise ConfigurationError(f"weak_keys_dir {folder} is not a folder")
        return KnownInAny(())
    lists, blocklists = [], []
    for file in sorted(path for path in folder.iterdir() if path.is_file()):
        try:
            if file.suffix == ".dat":
                blocklists.append(Blocklist(_mapped(file)))
            else:
                lists.append(read_weak_key_list(file.read_text(encoding="ascii")))
        except (OSError, ValueError, MalformedKeyList) as error:
            raise ConfigurationError(f"weak keys {file}: {error}") from error
    return KnownInAny((merged(lists), *blocklists))


def _mapped(file: Path) -> mmap.mmap | bytes:
    # An empty file can't be mapped. The others stay on disk: they have millions of records.
    if not file.stat().st_size:
        return b""
    with file.open("rb") as opened:
        return mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)


def notification_options(settings: Settings, *, base_url: str | None) -> NotificationOptions:
    """Build what notifications are told; without a mail server mail is suppressed, and visible as that."""
    smtp = None
    if settings.smtp_host and settings.smtp_from:
        smtp = EmailSettings(
            host=settings.smtp_host,
            port=settings.smtp_port,
            security=settings.smtp_security,
            sender=settings.smtp_from,
            username=settings.smtp_username,
            password=SecretStr(settings.smtp_password),
        )
    return NotificationOptions(
        base_url=base_url or settings.base_url,
        kinds=installed_notifiers(),
        smtp=smtp,
        allowed_networks=tuple(ip_network(text) for text in settings.notification_allowed_networks),
    )


def sign_in_options(
    settings: Settings, kek: KeyEncryptionKey, *, base_url: str | None, asks_at: str
) -> SignInOptions:
    """Build what signing in is told.

    Raises:
        ConfigurationError: the CAs for client certificates can't be read.
    """
    trust = ClientTrust()
    if settings.client_certificate_ca:
        try:
            authorities = load_authorities(Path(settings.client_certificate_ca))
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"client_certificate_ca {settings.client_certificate_ca}: {error}"
            ) from error
        crl = settings.client_certificate_crl
        trust = ClientTrust(authorities, CrlFile(Path(crl))) if crl else ClientTrust(authorities)
    return SignInOptions(
        base_url=base_url or settings.base_url,
        kek=kek,
        client_trust=trust,
        certificate_revoked=certificate_is_revoked,
        certificate_url=asks_at,
    )


async def certificate_is_revoked(session: AsyncSession, sha256: str) -> bool:
    """Say whether the hub's inventory has a certificate, by its SHA-256 in hex, as revoked."""
    revoked = select(Certificate.id).where(
        Certificate.fingerprint_sha256 == sha256, Certificate.status == CertificateStatus.REVOKED.value
    )
    return (await session.execute(revoked)).first() is not None


def dcv_tools(
    db: Database, settings: Settings, kek: KeyEncryptionKey, *, fleet: FleetService, base_url: str | None
) -> DcvTools:
    """Build what domain validation looks, writes and mails with."""
    url = base_url or settings.base_url
    probing = ProbeSettings(
        nameservers=tuple(nameserver(text) for text in settings.dcv_nameservers),
        allowed_networks=tuple(ip_network(text) for text in settings.dcv_allowed_networks),
        allowed_ports=frozenset(settings.dcv_allowed_ports),
    )
    resolver = DnsResolver(probing, db.clock)
    mail = SmtpSettings(
        host=settings.smtp_host,
        port=settings.smtp_port,
        sender=settings.smtp_from,
        security=settings.smtp_security,
        username=settings.smtp_username,
        password=settings.smtp_password,
    )
    return DcvTools(
        probes=Probes(resolver, SafeFetcher(probing, resolver, db.clock)),
        vantage=FleetVantage(fleet),
        mailer=SmtpMailer(mail) if settings.smtp_host and settings.smtp_from else None,
        kek=kek,
        methods=installed_methods(),
        writers=installed_writers(),
        options=DcvOptions(
            base_url=url,
            issuer=settings.dcv_issuer or urlsplit(url).hostname or "localhost",
        ),
    )
