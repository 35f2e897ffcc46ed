"""The memory of signed answers: bounded, and nothing that was dropped comes back."""

import pytest

from hub.issuers.ocsp.answer_cache import AnswerCache, CachedAnswer
from pki.ocsp_responses import SignedResponse

TAIL = b"c" * 500


def answer(serial=1, *, renew_at=50.0, next_update=100.0):
    return CachedAnswer(
        serial=serial,
        response=SignedResponse(b"h" * 300, TAIL),
        produced_at=0.0,
        renew_at=renew_at,
        next_update=next_update,
    )


@pytest.fixture
def cache():
    return AnswerCache(10_000)


def test_the_longest_not_asked_for_leaves_first(cache):
    for number in range(100):
        cache.put(b"%083d" % number, answer(number), epoch=0)
        assert cache.get(b"%083d" % 0, now=1.0) is not None
    assert cache.size <= 10_000
    assert 10 <= len(cache) < 20
    assert cache.get(b"%083d" % 99, now=1.0) is not None
    assert cache.get(b"%083d" % 50, now=1.0) is None


def test_an_answer_is_given_until_its_end(cache):
    cache.put(b"r", answer(), epoch=0)
    assert cache.get(b"r", now=99.9).response.der() == b"h" * 300 + TAIL
    assert cache.get(b"r", now=100.0) is None
    assert (len(cache), cache.size) == (0, 0)


def test_what_was_read_before_something_was_dropped_is_not_kept(cache):
    epoch = cache.epoch
    cache.drop([b"other"])
    cache.put(b"r", answer(), epoch=epoch)
    assert cache.get(b"r", now=1.0) is None
    epoch = cache.epoch
    cache.clear()
    cache.put(b"r", answer(), epoch=epoch)
    assert len(cache) == 0


def test_due_is_what_was_asked_for(cache):
    cache.put(b"asked", answer(1), epoch=0)
    cache.put(b"not", answer(2), epoch=0)
    cache.put(b"later", answer(3, renew_at=90.0), epoch=0)
    cache.get(b"asked", now=1.0)
    assert cache.take_due(now=49.0) == []
    assert cache.take_due(now=50.0) == [(b"asked", 1)]
    assert [cache.get(name, now=60.0) is not None for name in (b"asked", b"not", b"later")] == [
        True,
        False,
        True,
    ]


def test_replacing_an_answer_counts_once(cache):
    for _ in range(50):
        cache.put(b"r", answer(), epoch=0)
    size = cache.size
    cache.drop([b"r"])
    assert (size < 1_000, cache.size) == (True, 0)
