"""Requests with the same API token that come together share one look-up; nothing is remembered after it."""

import asyncio

import pytest

from hub.access.errors import InvalidToken
from hub.access.service import AccessService
from hub.http.principal import SYSTEM


class Tokens:
    def __init__(self):
        self.lookups = 0
        self.go_on = asyncio.Event()
        self.revoked = False

    async def principal(self, token):
        self.lookups += 1
        await self.go_on.wait()
        if self.revoked:
            raise InvalidToken
        return SYSTEM


@pytest.fixture
def access():
    service = AccessService(None)
    service.api_tokens = Tokens()
    return service


async def test_one_lookup_answers_all_that_wait_for_it(access):
    callers = [asyncio.create_task(access.by_api_token("t")) for _ in range(10)]
    await asyncio.sleep(0)
    callers[0].cancel()
    access.api_tokens.go_on.set()
    answers = await asyncio.gather(*callers, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert answers[1:] == [SYSTEM] * 9
    assert access.api_tokens.lookups == 1


async def test_a_revoked_token_is_refused_at_the_next_request(access):
    access.api_tokens.go_on.set()
    assert await access.by_api_token("t") is SYSTEM
    access.api_tokens.revoked = True
    with pytest.raises(InvalidToken):
        await access.by_api_token("t")
