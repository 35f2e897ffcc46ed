"""What a notifier is: it hands one message to the outside and says what became of it.

A kind is one file and one entry-point line. Settings are one pydantic model, secrets in it are ``SecretStr``;
the API, the console's form and the encrypted store follow from it. A notifier keeps no state that matters:
whether a message goes out again is decided by the queue.
"""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Protocol, Self

from pydantic import BaseModel

from hub.db.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message. ``id`` is the same however often it is tried; ``to`` is empty where nobody is addressed.

    ``facts`` are label and value, for chats that show tables; ``data`` is for machines.
    """

    id: str
    type: str
    title: str
    severity: str
    subject: str
    text: str
    to: str = ""
    at: datetime
    url: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A message was taken; ``text`` is what the other side said."""

    text: str


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """The answer to a POST: a status, its headers, and the beginning of its body."""

    status: int
    headers: Mapping[str, str]
    text: str


Post = Callable[..., Awaitable[HttpAnswer]]
"""``post(url, body, headers=..., ca_pem="")``: see :meth:`hub.notifications.posting.Poster.post`."""


Dial = Callable[[str, int], Awaitable[socket.socket]]
"""``dial(host, port)``: see :meth:`hub.notifications.posting.Poster.dial`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a notifier works with."""

    post: Post
    dial: Dial
    clock: Clock


class Notifier(Protocol):
    """A kind of way out.

    ``addressed``: each recipient gets a message of their own, to their address; otherwise there is one for
    the channel. ``told_apart``: the receiver recognizes a repetition by the message's id, so that one whose
    outcome is unknown may be sent again.
    """

    kind: ClassVar[str]
    display_name: ClassVar[str]
    settings_model: ClassVar[type[BaseModel]]
    addressed: ClassVar[bool]
    told_apart: ClassVar[bool]

    @classmethod
    def open(cls, settings: Any, tools: Tools) -> Self:
        """Return a notifier with these settings."""
        ...

    async def send(self, message: Message) -> Receipt:
        """Hand a message over.

        Raises:
            NotDelivered: it was certainly not taken; says whether to try again, and when.
            OutcomeUnknown: it was handed over, but the answer got lost.
        """
        ...

    async def check(self) -> Receipt:
        """See, without a message, whether the other side would take one; raises as :meth:`send` does."""
        ...
