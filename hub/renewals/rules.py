"""Which settings count for a certificate: its own where it has some, else its profile's."""

from __future__ import annotations

from hub.lifecycle.requests import AutoRenew
from hub.profiles.service import RenewalPolicy
from hub.renewals.plan import RenewalRules

CERTIFICATE, PROFILE = "the certificate's own setting", "the profile's setting"


def effective_rules(own: AutoRenew | None, policy: RenewalPolicy) -> RenewalRules:
    """Merge a certificate's settings with its profile's policy."""
    says_when = own is not None and (own.days_before is not None or own.share is not None)
    says_key = own is not None and own.new_key_pair is not None
    return RenewalRules(
        enabled=own.enabled if own is not None else policy.enabled,
        days_before=own.days_before if own is not None and says_when else policy.days_before,
        share=(own.share if own is not None and own.share is not None else policy.share),
        new_key_pair=bool(own.new_key_pair) if own is not None and says_key else policy.new_key_pair,
        jitter_hours=policy.jitter_hours,
        revoke_after_hours=policy.revoke_after_hours,
        sources={
            "enabled": CERTIFICATE if own is not None else PROFILE,
            "when": CERTIFICATE if says_when else PROFILE,
            "new_key_pair": CERTIFICATE if says_key else PROFILE,
            "spread": PROFILE,
            "revocation": PROFILE,
        },
    )
