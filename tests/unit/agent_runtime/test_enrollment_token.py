import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.runtime.errors import KindNotInToken, TokenMalformed
from agents.runtime.tokens import parse_token

DOCUMENT = {
    "v": 1,
    "id": "t1",
    "secret": "t1.0123456789abcdef",
    "enroll": "hub.example:8444",
    "http": "",
    "ca": "ab" * 32,
    "kinds": ["network", "pks"],
}


def text(**changes) -> str:
    encoded = base64.urlsafe_b64encode(json.dumps(DOCUMENT | changes).encode())
    return "cwt1." + encoded.rstrip(b"=").decode()


def test_a_token_says_where_whom_and_what():
    token = parse_token(f"  {text()}\n")

    assert token.address == "hub.example:8444"
    assert token.ca_sha256 == b"\xab" * 32
    assert token.secret == "t1.0123456789abcdef"
    assert "0123456789abcdef" not in repr(token)


def test_line_breaks_from_an_e_mail_do_no_harm():
    broken = text()

    assert parse_token(broken[:40] + "\r\n" + broken[40:]) == parse_token(broken)


def test_the_kind_is_chosen_where_there_is_a_choice():
    token = parse_token(text())

    assert token.kind("pks") == "pks"
    assert parse_token(text(kinds=["network"])).kind(None) == "network"
    with pytest.raises(KindNotInToken):
        token.kind(None)
    with pytest.raises(KindNotInToken):
        token.kind("msad")


@pytest.mark.parametrize(
    "changes",
    [{"ca": "ab"}, {"ca": "AB" * 32}, {"enroll": "nowhere"}, {"kinds": []}, {"secret": ""}, {"kinds": "pks"}],
)
def test_a_token_that_says_nonsense_is_refused_without_its_secret(changes):
    with pytest.raises(TokenMalformed) as refused:
        parse_token(text(**changes))

    assert "0123456789abcdef" not in str(refused.value)


@given(st.text(max_size=300))
def test_any_other_text_is_refused(garbage):
    for candidate in (garbage, "cwt1." + garbage):
        with pytest.raises(TokenMalformed):
            parse_token(candidate)


def test_the_hubs_own_tokens_can_be_read():
    from hub.fleet.tokens import TokenContents, new_secret

    token_id, secret = new_secret()
    contents = TokenContents(
        id=token_id, secret=secret, enroll="h:1", ca_sha256="cd" * 32, kinds=("pks",), http="https://h:2"
    )

    token = parse_token(contents.text())

    assert (token.secret, token.address, token.kinds) == (secret, "h:1", ("pks",))
