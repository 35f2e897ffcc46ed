"""Do the letters of a domain's label belong together? Against homographs (UTS #39, sections 4 and 5).

A label passes when all its letters are of one script, or of scripts that are written together (Japanese,
Chinese with Bopomofo, Korean; each may have Latin beside it): the "highly restrictive" level. A label wholly
in Cyrillic or Greek letters that all have a Latin twin is refused too, unless the top-level domain is in that
script. Python knows no script property; the first word of a letter's Unicode name is the script for all
letters that IDNA 2008 allows.
"""

from __future__ import annotations

import unicodedata

from hub.organizations.errors import DomainLooksLikeAnother, DomainMixesScripts, InvalidDomain

_TOGETHER = (
    frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
)
# First words of names that are no script of their own: digits, marks, and signs used with several scripts.
_COMMON = frozenset({"DIGIT", "HYPHEN", "COMBINING", "MIDDLE", "MODIFIER", "ZERO", "EXTENDED", "IDEOGRAPHIC"})
_LATIN_TWINS = {
    "CYRILLIC": dict(zip("асԁеһіјӏорԛѕԝхуьѵ", "acdehijlopqswxybv", strict=True)),
    "GREEK": dict(zip("αγικνορτυω", "ayikvoptuw", strict=True)),
}


def check_scripts(domain: str, *, field: str) -> None:
    """Do nothing if no label of a normalized domain is made to look like another.

    Raises:
        DomainMixesScripts: a label has letters of scripts that are not written together.
        DomainLooksLikeAnother: a label reads like one in Latin letters.
        InvalidDomain: an A-label that can't be decoded.
    """
    labels = [_decoded(label, field) for label in domain.split(".")]
    top = _scripts(labels[-1])
    for label in labels:
        scripts = _scripts(label)
        if len(scripts) > 1 and not any(scripts <= allowed for allowed in _TOGETHER):
            raise DomainMixesScripts(
                f"{label!r} mixes {_listed(scripts)} letters, as names made to look like others do;"
                " use letters of one script",
                field=field,
            )
        twin = _latin_twin(label, scripts)
        if twin is not None and scripts != top:
            raise DomainLooksLikeAnother(
                f"{label!r} is written in {_listed(scripts)} letters and looks like {twin!r};"
                " if you mean that, type it in Latin letters",
                field=field,
            )


def _decoded(label: str, field: str) -> str:
    if not label.startswith("xn--"):
        return label
    import idna  # only here: loading its tables takes longer than all the rest of this module

    try:
        return idna.decode(label)
    except UnicodeError as fault:
        raise InvalidDomain(
            f"{label!r} is not a valid internationalized label: {fault}", field=field
        ) from fault


def _scripts(label: str) -> frozenset[str]:
    # ARABIC-INDIC DIGIT ONE is Arabic, HYPHEN-MINUS a hyphen.
    words = {unicodedata.name(letter, "UNKNOWN").partition(" ")[0].partition("-")[0] for letter in label}
    return frozenset(words - _COMMON)


def _latin_twin(label: str, scripts: frozenset[str]) -> str | None:
    if len(scripts) != 1:
        return None
    twins = _LATIN_TWINS.get(next(iter(scripts)))
    letters = [letter for letter in label if not letter.isdigit() and letter != "-"]
    if twins is None or not all(letter in twins for letter in letters):
        return None
    return "".join(twins.get(letter, letter) for letter in label)


def _listed(scripts: frozenset[str]) -> str:
    names = {"CJK": "Chinese"}
    return " and ".join(sorted(names.get(script, script.capitalize()) for script in scripts))
