"""Where the agent's parts leave what is for the hub, whether or not there is a stream."""

import asyncio

from agents.runtime.commands import ServerInventory
from agents.runtime.messages import (
    ToHubAccepted,
    ToHubDone,
    ToHubIdentityRequest,
    ToHubInventory,
    ToHubProgress,
)
from agents.runtime.outgoing import Outgoing
from agents.runtime.session import Posted, Session

BATCH_WINDOW = 8
"""Uncommitted batches of one command, beyond which its producer waits."""


class StreamUplink:
    """Keeps what must not be lost and posts the rest to the stream there is; for the event loop only."""

    def __init__(self) -> None:
        self.outgoing = Outgoing()
        self.wake = asyncio.Event()
        """Set when there may be something to write."""
        self._session: Session | None = None
        self._committed = asyncio.Condition()

    def attach(self, session: Session) -> None:
        """A stream begins."""
        self._session = session
        self.wake.set()

    def detach(self, session: Session) -> None:
        """It has ended."""
        if self._session is session:
            self._session = None

    @property
    def session(self) -> Session | None:
        """The present stream's session."""
        return self._session

    # ---- for the agent's parts

    def accepted(self, command_id: str) -> None:
        """The command is journalled. Without a stream the next Hello says so."""
        self._post(ToHubAccepted(command_id))

    def progress(self, command_id: str, share: float, message: str) -> None:
        """Tell how far a command is."""
        self._post(ToHubProgress(command_id, share, message))

    def batch(self, command_id: str, sequence: int, finds: bytes) -> None:
        """Send a batch until the hub has committed it."""
        self.outgoing.add_batch(command_id, sequence, finds)
        self.wake.set()

    def done(self, command_id: str, done: bytes) -> None:
        """Send a command's end until the hub has committed it; once more when it is there already."""
        self.outgoing.add_done(command_id, done)
        if self._session is not None:
            self._session.send_again(command_id)
        self.wake.set()

    def send_inventory(self, inventory: ServerInventory) -> None:
        """Tell the hub of this host's servers."""
        self._post(ToHubInventory(inventory))

    def request_identity(self, csr: bytes) -> None:
        """Ask for a fresh certificate."""
        self._post(ToHubIdentityRequest(csr))

    def reply_once(self, command_id: str, done: bytes) -> None:
        """Answer what never got into the journal; it replaces nothing that did."""
        self._post(ToHubDone(command_id, done))

    def _post(self, message: Posted) -> None:
        if self._session is not None:
            self._session.post(message)
            self.wake.set()

    # ---- back-pressure

    async def committed(self) -> None:
        """The hub has committed something: let producers and waiters look again."""
        self.wake.set()  # an end may have waited for its last batch
        async with self._committed:
            self._committed.notify_all()

    async def room_for_batch(self, command_id: str) -> None:
        """Wait until one more batch of a command may be kept."""
        async with self._committed:
            await self._committed.wait_for(
                lambda: self.outgoing.uncommitted_batches(command_id) < BATCH_WINDOW
            )

    async def flushed(self) -> None:
        """Wait until the hub has everything."""
        async with self._committed:
            await self._committed.wait_for(lambda: self.outgoing.is_empty)
