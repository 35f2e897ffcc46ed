"""The life of a key transfer: a key file on its way from a store to a person, or from a person to a store.

What the hub holds meanwhile is an envelope that it can't open, and not for long.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from hub.lifecycle.states import Row


class TransferKind(StrEnum):
    """Which way the key goes."""

    DOWNLOAD = "download"
    UPLOAD = "upload"


class TransferState(StrEnum):
    """How far it is."""

    REQUESTED = "Requested"
    READY = "Ready"
    FETCHED = "Fetched"
    STORED = "Stored"
    FAILED = "Failed"
    EXPIRED = "Expired"


class TransferEvent(StrEnum):
    """What can happen to it."""

    SEAL = "seal"
    FETCH = "fetch"
    STORE = "store"
    FAIL = "fail"
    EXPIRE = "expire"


_S, _E = TransferState, TransferEvent

KEY_TRANSFER: Mapping[tuple[TransferState, TransferEvent], Row] = {
    (_S.REQUESTED, _E.SEAL): Row(_S.READY, "KeyDownloadReady"),
    (_S.REQUESTED, _E.STORE): Row(_S.STORED, "KeyUploaded"),
    (_S.REQUESTED, _E.FAIL): Row(_S.FAILED, "KeyTransferFailed"),
    (_S.REQUESTED, _E.EXPIRE): Row(_S.EXPIRED, "KeyTransferExpired"),
    # The envelope is gone with it.
    (_S.READY, _E.FETCH): Row(_S.FETCHED, "KeyDownloaded"),
    (_S.READY, _E.EXPIRE): Row(_S.EXPIRED, "KeyTransferExpired"),
}

OPEN_STATES = (_S.REQUESTED, _S.READY)
