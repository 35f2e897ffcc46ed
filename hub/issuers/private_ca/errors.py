"""What the built-in CA refuses to do."""

from hub.db.errors import Conflict, HubError, Malformed, PolicyViolation, Unavailable


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


class HsmNotConfigured(Conflict):
    """This hub has no hardware security module: set hsm_module, hsm_token and hsm_pin_source."""

    code = "hsm_not_configured"


class HsmUnavailable(Unavailable):
    """The hardware security module can't be used now."""

    code = "hsm_unavailable"


class HsmPinRefused(HsmUnavailable):
    """The token refuses the PIN; it is not tried again until the PIN is changed, so that it is not locked."""

    code = "hsm_pin_refused"
