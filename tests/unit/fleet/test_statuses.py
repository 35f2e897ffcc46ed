import inspect

import grpc
import pytest

from hub.db import errors as kinds
from hub.db.errors import BackendRefused, HubError
from hub.fleet import errors
from hub.fleet.statuses import status_of

EVERY_KIND = [each for _, each in inspect.getmembers(kinds, inspect.isclass) if issubclass(each, HubError)]
OWN = [each for _, each in inspect.getmembers(errors, inspect.isclass) if each.__module__ == errors.__name__]


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_every_kind_has_a_status_and_an_unexpected_one_tells_nothing(kind):
    status, details = status_of(kind("secret words"))
    if kind in {HubError, BackendRefused}:
        assert status is grpc.StatusCode.INTERNAL
        assert "secret words" not in details
    else:
        assert status is not grpc.StatusCode.INTERNAL
        assert details == f"{kind.code}: secret words"


def test_codes_of_the_fleet_are_stable_words_used_once():
    codes = [each.code for each in OWN]
    # The removed agent has one word towards administrators and one towards agents.
    assert len(set(codes)) == len(codes)
