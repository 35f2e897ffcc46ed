"""Admin REST of the compromised keys."""

from __future__ import annotations

from hub.db.uow import Database
from hub.http.calls import Call
from hub.http.listing import Column, ListEndpoint, Listing, ListQuery, Page
from hub.http.routing import RouteSet, StreamedResponse, delete, get, post
from hub.profiles.key_lists import read_keys
from hub.profiles.key_schemas import CompromisedKeyRow, CompromisedKeysAdd, CompromisedKeysAdded
from hub.profiles.models import CompromisedKey
from hub.profiles.service import ProfileService

# As large as the body's text may be, with its escapes.
_MAX_BODY = 16 * 1024 * 1024

COMPROMISED_KEYS = Listing(
    CompromisedKeyRow,
    (
        Column("spki_sha256", CompromisedKey.spki_sha256, "SPKI SHA-256", nullable=False, searchable=True),
        Column("source", CompromisedKey.source, "Source", nullable=False, searchable=True, sortable=False),
        Column("added_by", CompromisedKey.added_by, "Added By", nullable=False, sortable=False),
        Column("added_at", CompromisedKey.added_at, "Added", kind="time", nullable=False),
    ),
    select_from=CompromisedKey,
    id_column=CompromisedKey.spki_sha256,
    default_sort="-added_at",
)


class CompromisedKeyRoutes(RouteSet):
    """``/compromised-keys``: keys that no certificate is issued for."""

    prefix, tag = "/compromised-keys", "compromised-keys"

    def __init__(self, db: Database, profiles: ProfileService) -> None:
        self._db = db
        self._profiles = profiles
        self._listing = ListEndpoint(db, COMPROMISED_KEYS, filename="compromised-keys.csv")

    @get(
        "",
        action="compromised_keys.view",
        summary="List compromised keys",
        query=ListQuery,
        returns=Page[CompromisedKeyRow],
        listing=COMPROMISED_KEYS,
    )
    async def list(self, call: Call[None, ListQuery]) -> Page[CompromisedKeyRow] | StreamedResponse:
        """Return a page of keys, the newest first."""
        return await self._listing(call)

    @post(
        "",
        action="compromised_keys.edit",
        summary="Add compromised keys",
        body=CompromisedKeysAdd,
        returns=CompromisedKeysAdded,
        status=201,
        max_body_bytes=_MAX_BODY,
    )
    async def add(self, call: Call[CompromisedKeysAdd, None]) -> CompromisedKeysAdded:
        """Add keys, one or a whole list; those on it already keep what is said of them."""
        keys = read_keys(call.body.keys)
        async with self._db.write() as uow:
            added = await self._profiles.add_compromised(
                uow, keys, source=call.body.source.strip(), principal=call.principal
            )
        return CompromisedKeysAdded(read=len(keys), added=added)

    @delete(
        "/{spki_sha256}",
        action="compromised_keys.edit",
        summary="Take a key off the list of compromised keys",
    )
    async def remove(self, call: Call[None, None]) -> None:
        """Take a key off the list."""
        async with self._db.write() as uow:
            await self._profiles.remove_compromised(uow, call.path["spki_sha256"], principal=call.principal)
