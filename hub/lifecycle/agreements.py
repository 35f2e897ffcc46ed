"""The subscriber agreement of a profile, and that it was accepted: which text, by whom, when."""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hub.lifecycle.new_rows import Accepted


@lru_cache(maxsize=64)
def agreement_sha256(text: str) -> str:
    """Return what identifies the text of an agreement, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def accepted_agreement(accepted: Accepted, at: datetime) -> dict[str, Any] | None:
    """Return what is stored about the agreement of a request; None: its profile has none."""
    text = accepted.profile.agreement
    if not text:
        return None
    request = accepted.given.request
    if not request.agreement_accepted and request.kept_agreement is not None:
        return dict(request.kept_agreement)
    return {
        "sha256": agreement_sha256(text),
        "accepted_by": accepted.principal.name,
        "accepted_at": at.isoformat(),
    }
