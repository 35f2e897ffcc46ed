"""How long publicly trusted certificates may live, and what becomes of a profile's terms."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from hub.profiles.terms import public_term_ends, public_term_limit, terms_on

days = st.dates(date(2020, 9, 1), date(2060, 1, 1))


def test_terms_say_until_when_they_are_offered():
    terms = terms_on((30, 90, 200), is_public=True, on=date(2028, 1, 1))
    assert [(term.days, term.offered, term.until) for term in terms] == [
        (30, True, None),
        (90, True, date(2029, 3, 15)),
        (200, False, date(2027, 3, 15)),
    ]
    private = terms_on((30, 3650), is_public=False, on=date(2028, 1, 1))
    assert all(term.offered and term.until is None for term in private)


@given(on=days, term=st.integers(1, 1000))
def test_a_term_is_offered_exactly_while_it_is_within_the_limit(on, term):
    (seen,) = terms_on((term,), is_public=True, on=on)
    assert seen.offered is (term <= public_term_limit(on))


@given(first=days, second=days)
def test_the_limit_never_grows(first, second):
    early, late = sorted((first, second))
    assert public_term_limit(early) >= public_term_limit(late)


@given(term=st.integers(1, 1000))
def test_a_term_ends_on_the_first_day_of_a_smaller_limit(term):
    end = public_term_ends(term)
    assert (end is None) is (term <= 47)
    if end is not None:
        assert public_term_limit(end) < term
