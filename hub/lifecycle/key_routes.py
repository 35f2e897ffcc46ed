"""Admin REST of private keys that agents keep."""

from __future__ import annotations

from hub.http.calls import Call
from hub.http.routing import RouteSet, delete, get, post
from hub.lifecycle import key_download, key_upload
from hub.lifecycle.key_schemas import (
    ConfirmQuery,
    KeyDownloadBody,
    KeyTransferView,
    KeyUploadBody,
    ReceiverQuery,
    ReceiverView,
)
from hub.lifecycle.service import LifecycleService


class KeyRoutes(RouteSet):
    """``/certificates/{id}``: key downloads, key uploads, removal of the key."""

    prefix, tag = "/certificates", "certificates"

    def __init__(self, lifecycle: LifecycleService) -> None:
        self._custody = lifecycle.key_custody

    @post(
        "/{id:int}/key-downloads",
        action=key_download.ACTION,
        summary="Ask for a private key, sealed to a receiver",
        body=KeyDownloadBody,
        returns=KeyTransferView,
        status=202,
    )
    async def request_download(self, call: Call[KeyDownloadBody, None]) -> KeyTransferView:
        """Ask the agent that keeps the key; its own policy decides."""
        transfer = await self._custody.downloads.request(
            call.principal, call.int_path("id"), call.body.typed()
        )
        return KeyTransferView.of(transfer)

    @get(
        "/{id:int}/key-downloads/{download_id}",
        action=key_download.ACTION,
        summary="Fetch a sealed private key",
        returns=KeyTransferView,
    )
    async def read_download(self, call: Call[None, None]) -> KeyTransferView:
        """Return how far it is; once it is Ready, the envelope, which is then gone."""
        transfer = await self._custody.downloads.read(
            call.principal, call.int_path("id"), call.path["download_id"]
        )
        return KeyTransferView.of(transfer)

    @get(
        "/{id:int}/key-receiver",
        action=key_upload.UPLOAD_ACTION,
        summary="Read to whom a private key is to be sealed",
        query=ReceiverQuery,
        returns=ReceiverView,
    )
    async def receiver(self, call: Call[None, ReceiverQuery]) -> ReceiverView:
        """Return the agent's receiver key; compare its fingerprint with what the agent's host says."""
        receiver = await self._custody.uploads.receiver(
            call.principal, call.int_path("id"), call.query.agent_id
        )
        return ReceiverView.of(receiver)

    @post(
        "/{id:int}/key-uploads",
        action=key_upload.UPLOAD_ACTION,
        summary="Hand a sealed private key to a store",
        body=KeyUploadBody,
        returns=KeyTransferView,
        status=202,
    )
    async def request_upload(self, call: Call[KeyUploadBody, None]) -> KeyTransferView:
        """Hand it on; the agent takes it only if it is the certificate's."""
        transfer = await self._custody.uploads.request(
            call.principal,
            call.int_path("id"),
            agent_id=call.body.agent_id,
            envelope=call.body.envelope,
        )
        return KeyTransferView.of(transfer)

    @get(
        "/{id:int}/key-uploads/{upload_id}",
        action=key_upload.UPLOAD_ACTION,
        summary="Read how far an upload is",
        returns=KeyTransferView,
    )
    async def read_upload(self, call: Call[None, None]) -> KeyTransferView:
        """Return how far it is."""
        transfer = await self._custody.uploads.read(
            call.principal, call.int_path("id"), call.path["upload_id"]
        )
        return KeyTransferView.of(transfer)

    @delete(
        "/{id:int}/key",
        action=key_upload.DELETE_ACTION,
        summary="Remove a private key from its store, for ever",
        query=ConfirmQuery,
        status=202,
    )
    async def remove(self, call: Call[None, ConfirmQuery]) -> None:
        """Have the agent delete it; `confirm` repeats the certificate's common name."""
        await self._custody.uploads.remove(call.principal, call.int_path("id"), confirm=call.query.confirm)
