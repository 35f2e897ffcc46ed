"""Private keys in the hands of agents: downloads, uploads, removal, and the sweep of what was left lying."""

from __future__ import annotations

from hub.db.uow import Database
from hub.lifecycle import key_download, key_transfers, key_upload
from hub.lifecycle.key_access import KeyAccess
from hub.lifecycle.key_download import KeyDownloads
from hub.lifecycle.key_upload import KeyUploads
from hub.lifecycle.ports import Rooms


class KeyCustody:
    """What administrators do with private keys that agents keep."""

    def __init__(self, db: Database, rooms: Rooms, *, access: KeyAccess) -> None:
        self._db = db
        self.downloads = KeyDownloads(db, rooms, access)
        self.uploads = KeyUploads(db, rooms, access)
        rooms.fleet.on_outcome(key_download.KIND, self.downloads.on_outcome)
        rooms.fleet.on_outcome(key_upload.IMPORT_KIND, self.uploads.on_imported)
        rooms.fleet.on_outcome(key_upload.DELETE_KIND, self.uploads.on_deleted)

    async def sweep(self) -> int:
        """End transfers whose time is over; return how many."""
        return await key_transfers.sweep(self._db)
