"""What is kept of an order between two steps: the intent's document, typed.

The phases, in order: ``create`` (no order yet), ``authorize`` (see what must be proven), ``present`` (show
the proofs), ``answer`` (the CA looks), ``finalize`` (signing request, certificate).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

from hub.issuers.acme.challenges import Presented

CREATE, AUTHORIZE, PRESENT, ANSWER, FINALIZE = "create", "authorize", "present", "answer", "finalize"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderState:
    """How far an order is.

    ``key`` names one attempt at an order, ``order`` is its address at the CA. ``presented`` is what is shown,
    or about to be; ``failures`` counts failed ways by identifier; ``last_error`` is the CA's word about the
    last of them.
    """

    phase: str
    key: str
    order: str = ""
    replaces: str = ""
    presented: tuple[Presented, ...] = ()
    failures: dict[str, int] = field(default_factory=dict)
    last_error: str = ""

    def to(self, phase: str, **changes: Any) -> OrderState:
        """Return the state of another phase."""
        return replace(self, phase=phase, **changes)

    def again(self, failed: list[str], error: str) -> OrderState:
        """Return the state of a new attempt, after some ways have failed."""
        counts = dict(self.failures)
        for name in failed:
            counts[name] = counts.get(name, 0) + 1
        base, _, number = self.key.partition("#")
        return OrderState(
            phase=CREATE,
            key=f"{base}#{int(number or 0) + 1}",
            replaces=self.replaces,
            failures=counts,
            last_error=error,
        )

    def dump(self) -> dict[str, str]:
        """Return the document."""
        return {
            "phase": self.phase,
            "key": self.key,
            "order": self.order,
            "replaces": self.replaces,
            "presented": json.dumps([item.dump() for item in self.presented]),
            "failures": json.dumps(self.failures),
            "last_error": self.last_error,
        }

    @classmethod
    def load(cls, document: dict[str, str]) -> OrderState:
        """Read what :meth:`dump` wrote."""
        return cls(
            phase=document["phase"],
            key=document["key"],
            order=document["order"],
            replaces=document["replaces"],
            presented=tuple(Presented(**item) for item in json.loads(document["presented"])),
            failures=json.loads(document["failures"]),
            last_error=document["last_error"],
        )
