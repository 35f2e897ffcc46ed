"""The steps of a sign-in as a table: (state, event) -> (next state, effect).

A session is opened by one effect only, and that stands behind every step that the person's account needs.
A step that is not needed is left by ``NOT_NEEDED``; :func:`settle` applies that until somebody has to act.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hub.access.signin.errors import WrongStep


class State(StrEnum):
    """Where a sign-in stands."""

    STARTED = "started"
    AT_PROVIDER = "at_provider"
    RETURNED = "returned"
    SECOND_FACTOR = "second_factor"
    ENROLMENT = "enrolment"
    NEW_PASSWORD = "new_password"  # noqa: S105 - a state's name
    COMPLETE = "complete"


class Event(StrEnum):
    """What moves it."""

    PASSWORD_ACCEPTED = "password_accepted"  # noqa: S105 - an event's name
    PASSKEY_ACCEPTED = "passkey_accepted"
    CERTIFICATE_ACCEPTED = "certificate_accepted"
    PROVIDER_ASKED = "provider_asked"
    PROVIDER_ANSWERED = "provider_answered"
    HANDOFF_CLAIMED = "handoff_claimed"
    SECOND_FACTOR_ACCEPTED = "second_factor_accepted"
    FACTOR_ENROLLED = "factor_enrolled"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - an event's name
    NOT_NEEDED = "not_needed"


class Effect(StrEnum):
    """What a step does beside moving on."""

    NOTHING = "nothing"
    OPEN_SESSION = "open_session"


TRANSITIONS: dict[tuple[State, Event], tuple[State, Effect]] = {
    (State.STARTED, Event.PASSWORD_ACCEPTED): (State.SECOND_FACTOR, Effect.NOTHING),
    (State.STARTED, Event.CERTIFICATE_ACCEPTED): (State.SECOND_FACTOR, Effect.NOTHING),
    # Possession and user verification at once: two factors.
    (State.STARTED, Event.PASSKEY_ACCEPTED): (State.NEW_PASSWORD, Effect.NOTHING),
    (State.STARTED, Event.PROVIDER_ASKED): (State.AT_PROVIDER, Effect.NOTHING),
    (State.AT_PROVIDER, Event.PROVIDER_ANSWERED): (State.RETURNED, Effect.NOTHING),
    (State.RETURNED, Event.HANDOFF_CLAIMED): (State.SECOND_FACTOR, Effect.NOTHING),
    (State.SECOND_FACTOR, Event.SECOND_FACTOR_ACCEPTED): (State.NEW_PASSWORD, Effect.NOTHING),
    (State.SECOND_FACTOR, Event.NOT_NEEDED): (State.ENROLMENT, Effect.NOTHING),
    (State.ENROLMENT, Event.FACTOR_ENROLLED): (State.NEW_PASSWORD, Effect.NOTHING),
    (State.ENROLMENT, Event.NOT_NEEDED): (State.NEW_PASSWORD, Effect.NOTHING),
    (State.NEW_PASSWORD, Event.PASSWORD_CHANGED): (State.COMPLETE, Effect.OPEN_SESSION),
    (State.NEW_PASSWORD, Event.NOT_NEEDED): (State.COMPLETE, Effect.OPEN_SESSION),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What the account needs beside the first factor."""

    second_factor: bool
    enrolment: bool
    new_password: bool

    def at(self, state: State) -> bool:
        """Whether somebody has to act in ``state``."""
        wanted = {
            State.SECOND_FACTOR: self.second_factor,
            State.ENROLMENT: self.enrolment,
            State.NEW_PASSWORD: self.new_password,
            State.COMPLETE: True,
        }
        return wanted.get(state, True)


def advance(state: State, event: Event) -> tuple[State, Effect]:
    """Return the next state and what entering it does.

    Raises:
        WrongStep: the sign-in is not at a step that takes this event.
    """
    try:
        return TRANSITIONS[(state, event)]
    except KeyError:
        raise WrongStep(f"the sign-in is at the step {state.value!r}") from None


def settle(state: State, event: Event, needs: Needs) -> tuple[State, Effect]:
    """Advance by ``event``, then past all steps that nobody needs."""
    state, effect = advance(state, event)
    while not needs.at(state):
        state, effect = advance(state, Event.NOT_NEEDED)
    return state, effect
