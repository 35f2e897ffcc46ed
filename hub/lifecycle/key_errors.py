"""What can be wrong with private keys that agents keep."""

from __future__ import annotations

from hub.db.errors import Conflict, Forbidden, Malformed, NotFound


class StrongerSignInNeeded(Forbidden):
    """This takes a second factor or a client certificate."""

    code = "stronger_sign_in_needed"


class KeyNotKept(Conflict):
    """No private key store keeps the key of this certificate."""

    code = "key_not_kept"


class KeyKeptAlready(Conflict):
    """An agent keeps the key of this certificate already."""

    code = "key_kept_already"


class KeyAgentAway(Conflict):
    """The agent that keeps the key is not connected, or can't do this."""

    code = "key_agent_away"


class TransferNotFound(NotFound):
    """There is no such key transfer of this certificate."""

    code = "key_transfer_not_found"


class ReceiverMalformed(Malformed):
    """This is not the public key of a receiver."""

    code = "receiver_malformed"


class EnvelopeMalformed(Malformed):
    """This is not a sealed key."""

    code = "envelope_malformed"


class NotConfirmed(Malformed):
    """Write the certificate's common name to confirm."""

    code = "not_confirmed"
