"""The audit log holds no secrets and only plain values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.access.redaction import REDACTED, changes, is_secret, plain


@pytest.mark.parametrize(
    "name", ["password", "new_password", "client_secret", "token", "api_token", "private_key", "Password"]
)
def test_secrets_are_told_by_their_names(name):
    assert is_secret(name)


@pytest.mark.parametrize("name", ["key_id", "key_type", "token_id", "pin_code_sent", "hint"])
def test_what_is_about_secrets_is_not_one(name):
    assert not is_secret(name)


def test_secrets_are_taken_out_however_deep():
    document = plain({"a": [{"password": "hunter2"}], "token": ["x"], "secret": "", "pin": None, "n": 1})
    assert document == {"a": [{"password": REDACTED}], "token": REDACTED, "secret": "", "pin": None, "n": 1}


def test_changes_name_what_differs_before_and_after():
    found = changes({"name": "a", "same": 1, "password": "old"}, {"name": "b", "same": 1, "password": "new"})
    assert found == {
        "before": {"name": "a", "password": "old"},
        "after": {"name": "b", "password": "new"},
    }
    assert plain(found)["after"] == {"name": "b", "password": REDACTED}


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(_VALUES)
def test_plain_values_stay_the_same_when_made_plain_again(value):
    assert plain(plain(value)) == plain(value)
