"""TLS of the console and API: contexts, and certificates loaded into them without leaving keys on disk."""

from __future__ import annotations

import os
import ssl

from hub.config import ConfigurationError, Settings


def new_context() -> ssl.SSLContext:
    """Return a server context without a certificate yet: TLS 1.2 and newer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


def load_pem(context: ssl.SSLContext, *, certificate_pem: bytes, key_pem: bytes) -> None:
    """Load a certificate and its key from memory; connections made from now on show it."""
    # The ssl module reads files only; this one lives in memory and ends with its descriptor.
    descriptor = os.memfd_create("certwright-tls", os.MFD_CLOEXEC)
    try:
        os.write(descriptor, key_pem + certificate_pem)
        context.load_cert_chain(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)


def ask_for_client_certificates(context: ssl.SSLContext, settings: Settings) -> None:
    """Have browsers asked for a certificate of the configured CAs; who has none may go on without.

    Raises:
        ConfigurationError: the CAs can't be read.
    """
    try:
        context.load_verify_locations(settings.client_certificate_ca)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"client_certificate_ca {settings.client_certificate_ca}: {error}"
        ) from error
    context.verify_mode = ssl.CERT_OPTIONAL
    # The configured CA may itself be issued by one that is not to be believed.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN


def load_configured(context: ssl.SSLContext, settings: Settings) -> bool:
    """Load the certificate that the settings name; return whether they name one.

    Raises:
        ConfigurationError: it can't be read, or does not fit its key.
    """
    if not settings.tls_certificate:
        return False
    try:
        context.load_cert_chain(settings.tls_certificate, settings.tls_key or None)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"tls_certificate {settings.tls_certificate}: {error}") from error
    return True
