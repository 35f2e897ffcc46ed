"""The state tables: of a domain's request, and of an organization's validation.

Each is a dict (state, event) -> (next state, effect); the effect is the kind of the outbox event that tells
of it. What is not in a table is refused by :func:`next_state`, never ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from hub.organizations.errors import StateNotAllowed


class DomainState(StrEnum):
    """How far the request for a domain is; it counts when approved (and active)."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REJECTED = "rejected"


class DomainEvent(StrEnum):
    """What can happen to a domain's request."""

    REQUEST = "request"
    APPROVE = "approve"
    REJECT = "reject"


class ValidationState(StrEnum):
    """Whether somebody made sure that the organization exists and is who it says (CA/B Forum BR, 3.2.2)."""

    NOT_VALIDATED = "not_validated"
    PENDING = "pending"
    VALIDATED = "validated"


class ValidationEvent(StrEnum):
    """What can happen to an organization's validation."""

    SUBMIT = "submit"
    VALIDATE = "validate"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    EXPIRE = "expire"


StateT = TypeVar("StateT", bound=StrEnum)
EventT = TypeVar("EventT", bound=StrEnum)

DOMAIN: Mapping[tuple[DomainState, DomainEvent], tuple[DomainState, str]] = {
    (DomainState.REQUESTED, DomainEvent.APPROVE): (DomainState.APPROVED, "DomainDelegated"),
    (DomainState.REQUESTED, DomainEvent.REJECT): (DomainState.REJECTED, "DomainRejected"),
    (DomainState.REJECTED, DomainEvent.REQUEST): (DomainState.REQUESTED, "DomainRequested"),
    (DomainState.REJECTED, DomainEvent.APPROVE): (DomainState.APPROVED, "DomainDelegated"),
}

VALIDATION: Mapping[tuple[ValidationState, ValidationEvent], tuple[ValidationState, str]] = {
    (ValidationState.NOT_VALIDATED, ValidationEvent.SUBMIT): (
        ValidationState.PENDING,
        "OrganizationValidationStarted",
    ),
    (ValidationState.NOT_VALIDATED, ValidationEvent.VALIDATE): (
        ValidationState.VALIDATED,
        "OrganizationValidated",
    ),
    (ValidationState.PENDING, ValidationEvent.VALIDATE): (
        ValidationState.VALIDATED,
        "OrganizationValidated",
    ),
    (ValidationState.PENDING, ValidationEvent.REFUSE): (
        ValidationState.NOT_VALIDATED,
        "OrganizationValidationRefused",
    ),
    # Once more before it runs out: there is no moment without validation.
    (ValidationState.VALIDATED, ValidationEvent.VALIDATE): (
        ValidationState.VALIDATED,
        "OrganizationValidated",
    ),
    (ValidationState.VALIDATED, ValidationEvent.WITHDRAW): (
        ValidationState.NOT_VALIDATED,
        "OrganizationValidationWithdrawn",
    ),
    (ValidationState.VALIDATED, ValidationEvent.EXPIRE): (
        ValidationState.NOT_VALIDATED,
        "OrganizationValidationExpired",
    ),
}


def next_state(
    table: Mapping[tuple[StateT, EventT], tuple[StateT, str]], state: StateT, event: EventT, *, what: str
) -> tuple[StateT, str]:
    """Return the state after ``event`` and its effect; ``what`` names the object in the error.

    Raises:
        StateNotAllowed: the table has no such row.
    """
    try:
        return table[state, event]
    except KeyError:
        raise StateNotAllowed(what=what, state=state.value, event=event.value) from None
