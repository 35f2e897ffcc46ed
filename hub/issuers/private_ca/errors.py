"""What the built-in CA refuses to do."""

from hub.db.errors import HubError, Malformed, PolicyViolation


class SignerMismatch(HubError):
    """The signing key does not belong to the CA's certificate."""

    code = "signer_mismatch"


class NotACertificateAuthority(Malformed):
    """The certificate is not one of a CA that may sign certificates and CRLs."""

    code = "not_a_certificate_authority"


class OutlivesIssuer(PolicyViolation):
    """The certificate would end after the CA's own."""

    code = "outlives_issuer"


class ForeignTbs(HubError):
    """What is to be signed does not name this CA as its issuer."""

    code = "foreign_tbs"


class BadSignerOutput(HubError):
    """The signer returned a signature that does not verify; nothing was issued."""

    code = "bad_signer_output"
