"""Which names a proof covers, and the sentence that a refused request gets."""

from datetime import UTC, datetime, timedelta

import pytest

from hub.organizations.dcv.clock import ProofTime
from hub.organizations.dcv.records import ProofRecord
from hub.organizations.dcv.standing import covering_domains, covers, not_validated

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def proof(domain: str, *, days_ago: int = 10, wide: bool = True, **more) -> ProofRecord:
    return ProofRecord(
        domain=domain,
        method="dns_txt" if wide else "http_file",
        covers_subdomains=wide,
        time=ProofTime(validated_at=NOW - timedelta(days=days_ago), **more),
    )


def found(name: str, *proofs: ProofRecord):
    by_domain: dict[str, list[ProofRecord]] = {}
    for each in proofs:
        by_domain.setdefault(each.domain, []).append(each)
    return not_validated(name, by_domain, at=NOW)


def test_domains_that_may_cover_a_name_end_at_the_registrable_one():
    assert covering_domains("a.b.example.co.uk") == ("a.b.example.co.uk", "b.example.co.uk", "example.co.uk")
    assert covering_domains("*.example.com") == ("example.com",)
    assert covering_domains("co.uk") == ()


@pytest.mark.parametrize(
    ("domain", "wide", "name", "covered"),
    [
        ("example.com", True, "example.com", True),
        ("example.com", True, "a.b.example.com", True),
        ("example.com", True, "*.example.com", True),
        ("example.com", True, "*.a.example.com", True),
        ("example.com", True, "notexample.com", False),
        ("www.example.com", True, "example.com", False),
        ("www.example.com", True, "*.example.com", False),
        ("www.example.com", False, "www.example.com", True),
        ("www.example.com", False, "a.www.example.com", False),
        ("example.com", False, "*.example.com", False),
    ],
)
def test_exact_names_subdomains_and_wildcards(domain, wide, name, covered):
    assert covers(proof(domain, wide=wide), name) is covered
    assert (found(name, proof(domain, wide=wide)) is None) is covered


def test_the_finding_says_what_to_do():
    never = found("www.example.com")
    assert never.reason == "DomainNotValidated"
    assert "start its validation" in never.message
    assert "example.com" in never.message
    old = found("www.example.com", proof("example.com", days_ago=201))
    assert "validate example.com again" in old.message
    assert "2026-05-08" in old.message
    narrow = found("*.example.com", proof("example.com", wide=False))
    assert "by DNS or e-mail" in narrow.message
    assert "private trust" in found("192.0.2.1").message
    assert "public suffix" in found("*.co.uk").message


def test_one_good_proof_beside_old_and_narrow_ones_is_enough():
    proofs = [proof("example.com", days_ago=300), proof("example.com", wide=False), proof("example.com")]
    assert found("www.example.com", *proofs) is None


def test_a_persistent_record_counts_for_ten_days():
    assert found("www.example.com", proof("example.com", days_ago=9, max_reuse_days=10)) is None
    assert found("www.example.com", proof("example.com", days_ago=10, max_reuse_days=10)) is not None
