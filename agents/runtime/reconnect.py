"""When to try again after a stream has ended, and what to try: pure decisions.

Full jitter: a random moment within a time that doubles with each failure. Ten thousand agents whose hub
comes back are then spread over seconds instead of arriving at once.
"""

from dataclasses import dataclass
from enum import Enum

REMOVED_PAUSE_S = 1800.0
STABLE_AFTER_S = 30.0
_MAX_DOUBLINGS = 16
_REJOIN_EVERY = 4


class Ending(Enum):
    """Why a stream, or an attempt at one, ended."""

    CUT = "cut"
    """Network, hub restart, a newer stream of ours: try again."""
    NOT_ADMITTED = "not_admitted"
    """The hub does not accept the certificate: re-join."""
    REMOVED = "removed"
    """The hub says that this agent is not an active one."""
    VIOLATION = "violation"
    """The hub broke the protocol; try again, as it may be upgraded."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """The pace of attempts; seconds."""

    base_s: float = 8.0
    cap_s: float = 120.0

    def delay_s(self, failures: int, *, ending: Ending, chance: float) -> float:
        """How long to wait after so many failures in a row; `chance` is a random number in [0, 1)."""
        if ending is Ending.REMOVED:
            # Somebody may have removed it by mistake and restore it; until then it only costs the hub.
            return REMOVED_PAUSE_S * (0.5 + chance)
        return chance * min(self.cap_s, self.base_s * float(2 ** min(failures, _MAX_DOUBLINGS)))


def should_rejoin(*, expired: bool, ending: Ending | None, failures: int) -> bool:
    """Whether to ask for a fresh certificate before the next attempt.

    A host whose clock is wrong does not know that its certificate has expired, so after several failures in a
    row it is tried all the same.
    """
    if expired or ending is Ending.NOT_ADMITTED:
        return True
    return failures > 0 and failures % _REJOIN_EVERY == 0
