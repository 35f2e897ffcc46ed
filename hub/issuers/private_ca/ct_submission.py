"""Sending precertificates to Certificate Transparency logs (RFC 6962, 4.2) for their timestamps."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Sequence
from datetime import timedelta

from hub.db.clock import Clock
from hub.db.errors import Unavailable
from hub.issuers.upstream.http import CaConnection, ConnectionSettings, excerpt
from pki.certificate_transparency import BadTimestamp, CtLog, Timestamp

_PATH = "/ct/v1/add-pre-chain"
_TIMEOUT_S = 10
_RETRY_S = 60
# A log's clock and ours differ by less.
_SKEW = timedelta(minutes=5)


class CtSubmission:
    """Gets one timestamp from each of the logs, and believes none that does not verify."""

    def __init__(self, logs: Sequence[CtLog], *, ca_bundle: str, clock: Clock) -> None:
        self._clock = clock
        self._logs = [
            (
                log,
                CaConnection(ConnectionSettings(url=log.url, ca_bundle=ca_bundle, timeout_s=_TIMEOUT_S)),
            )
            for log in logs
        ]

    async def timestamps(
        self, precertificate: bytes, chain: Sequence[bytes], *, tbs: bytes, issuer_spki: bytes
    ) -> list[Timestamp]:
        """Return the timestamps of all logs for a precertificate; a log knows one that it saw before.

        Raises:
            Unavailable: a log can't be asked, refuses, or answers with no timestamp of its own.
        """
        body = {"chain": [base64.b64encode(item).decode() for item in (precertificate, *chain)]}
        found = await asyncio.gather(*(self._ask(log, connection, body) for log, connection in self._logs))
        for (log, _connection), item in zip(self._logs, found, strict=True):
            try:
                item.verify(log, tbs=tbs, issuer_spki=issuer_spki)
            except BadTimestamp as fault:
                raise Unavailable(str(fault), retry_after_s=_RETRY_S) from fault
            if item.at > self._clock() + _SKEW:
                raise Unavailable(f"{log.url} dates its timestamp in the future", retry_after_s=_RETRY_S)
        return found

    async def _ask(self, log: CtLog, connection: CaConnection, body: dict[str, list[str]]) -> Timestamp:
        answer = await connection.ask("POST", _PATH, document=body)
        if answer.status != 200:
            raise Unavailable(
                f"{log.url} refuses the precertificate: {excerpt(answer)}", retry_after_s=_RETRY_S
            )
        try:
            return Timestamp.from_answer(answer.json_object())
        except BadTimestamp as fault:
            raise Unavailable(f"{log.url}: {fault}", retry_after_s=_RETRY_S) from fault


def stored(timestamps: Sequence[Timestamp]) -> str:
    """Return timestamps as they stand in an order's intent."""
    return json.dumps(
        [
            {
                "id": base64.b64encode(item.log_id).decode(),
                "timestamp": item.timestamp_ms,
                "extensions": base64.b64encode(item.extensions).decode(),
                "signature": base64.b64encode(item.signature).decode(),
                "sct_version": 0,
            }
            for item in timestamps
        ]
    )


def restored(text: str) -> list[Timestamp]:
    """Return the timestamps of an order's intent."""
    return [Timestamp.from_answer(item) for item in json.loads(text)]
