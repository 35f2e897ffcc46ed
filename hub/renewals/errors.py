"""What can be wrong about automatic renewal."""

from __future__ import annotations

from hub.db.errors import Conflict, PolicyViolation


class AutoRenewalImpossible(Conflict):
    """The certificate can't renew itself any more."""

    code = "auto_renewal_impossible"


class InvalidAutoRenewal(PolicyViolation):
    """These settings can't work for this certificate."""

    code = "invalid_auto_renewal"
