"""Look-alike domains: mixed scripts, and labels of another script that read as Latin."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.organizations.errors import DomainLooksLikeAnother, DomainMixesScripts
from hub.organizations.scripts import check_scripts
from pki.names import normalize_dns_name


@pytest.mark.parametrize(
    "name",
    ["example.com", "a-1.example", "münchen.example", "ドメイン名例.example", "東京abc.example",
     "t3st.example", "한국어.example", "пример.рф", "\u0430\u0440\u043e.\u0440\u0444", "россия.example",
     "παράδειγμα.example", "مثال.example", "דוגמה.example", "भारत.example", "ひらがなー.example"],
)  # fmt: skip
def test_what_people_write_passes(name):
    check_scripts(normalize_dns_name(name), field="name")


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("ex\u0430mple.com", DomainMixesScripts),
        ("www.b\u0430nk.example", DomainMixesScripts),
        ("\u03b1bc.example", DomainMixesScripts),
        ("\u043f\u03c1.example", DomainMixesScripts),
        ("\u0441\u043e\u0440.com", DomainLooksLikeAnother),
        ("\u0430-1.example", DomainLooksLikeAnother),
        ("\u03bf\u03c1.example", DomainLooksLikeAnother),
    ],
)
def test_what_looks_like_another_is_refused_with_its_field(name, error):
    with pytest.raises(error) as caught:
        check_scripts(normalize_dns_name(name), field="name")
    assert caught.value.field == "name"


def test_the_error_says_what_to_do():
    with pytest.raises(DomainLooksLikeAnother, match=r"in Cyrillic letters and looks like 'cop'; if"):
        check_scripts(normalize_dns_name("\u0441\u043e\u0440.com"), field="name")


@given(st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=20))
def test_plain_letters_always_pass(label):
    check_scripts(f"{label}.example", field="name")
