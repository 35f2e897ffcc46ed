"""Whatever bytes arrive, parsers return a value or raise a PkiError, and nothing else.

Mutations start from well-formed input, because random bytes never get past the first length octet.
"""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pki import at_rest, der
from pki.at_rest import KeyEncryptionKey, new_key
from pki.certificates import CertificateFacts, parse_certificate
from pki.chains import chain_problems, order_chain
from pki.csrs import ParsedCsr, build_csr, parse_csr
from pki.encodings import (
    Pkcs12Contents,
    certificates_pem,
    csr_pem,
    read_certificates,
    read_pkcs12,
    write_pkcs7,
    write_pkcs12,
)
from pki.errors import PkiError
from pki.keys import (
    KeyType,
    decode_private_key,
    decode_public_key,
    encode_private_key,
    generate_key,
    spki_der,
)
from pki.names import SubjectFields
from pki.sealing import generate_receiver_key, open_sealed, seal

# The library warns of certificates that are wrong in ways it will refuse one day; here they all are.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

MANY = settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
SOME = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

Mutation = tuple[str, float, bytes]
MUTATIONS = st.lists(
    st.tuples(
        st.sampled_from(["overwrite", "insert", "delete", "flip", "retag", "repeat"]),
        st.floats(0, 1, exclude_max=True),
        st.binary(min_size=1, max_size=4),
    ),
    min_size=1,
    max_size=4,
)


def mutate(data: bytes, mutations: list[Mutation]) -> bytes:
    for kind, where, content in mutations:
        at = int(where * len(data))
        end = at + len(content)
        match kind:
            case "overwrite":
                data = data[:at] + content + data[end:]
            case "insert":
                data = data[:at] + content + data[at:]
            case "delete":
                data = data[:at] + data[end:]
            case "flip":
                data = data[:at] + bytes(octet ^ content[0] for octet in data[at : at + 1]) + data[at + 1 :]
            case "retag":
                data = retagged(data, where, content[0])
            case "repeat":
                data = data[:end] + data[at:]
    return data


def elements(data: bytes, base: int = 0):
    """Offsets of all elements, as deep as they nest."""
    offset = 0
    while offset < len(data):
        try:
            element = der.read_element(data, offset)
        except PkiError:
            return
        yield base + offset
        if element.tag & 0x20 or element.tag in {der.OCTET_STRING, der.BIT_STRING}:
            header = len(element.encoded) - len(element.content)
            skip = element.tag == der.BIT_STRING
            yield from elements(element.content[skip:], base + offset + header + skip)
        offset += len(element.encoded)


def retagged(data: bytes, where: float, tag: int) -> bytes:
    """The same structure with one element's type changed: lengths stay right, so parsing gets far."""
    offsets = list(elements(data)) or [0]
    at = offsets[int(where * len(offsets))]
    return data[:at] + bytes((tag,)) + data[at + 1 :]


def survives(parse: Callable[[bytes], object], data: bytes) -> object:
    try:
        return parse(data)
    except PkiError as error:
        assert error.code  # noqa: PT017 the point is that nothing but a PkiError comes out
        return None


@MANY
@given(mutations=MUTATIONS, which=st.sampled_from(["leaf", "issuing", "root"]))
def test_certificates(issued, mutations, which):
    original = issued.leaf if which == "leaf" else getattr(issued, which).certificate
    facts = survives(parse_certificate, mutate(original, mutations))
    assert facts is None or isinstance(facts, CertificateFacts)
    if facts is not None:
        texts = (facts.subject, facts.issuer, facts.common_name, *facts.dns_names, *facts.emails)
        assert all("\x00" not in text for text in texts)
        assert facts.not_before.tzinfo is not None


@SOME
@given(mutations=MUTATIONS)
def test_chains(issued, now, mutations):
    damaged = mutate(issued.issuing.certificate, mutations)
    assert order_chain(issued.leaf, [damaged, issued.root.certificate])[0] == issued.leaf
    survives(lambda data: chain_problems([issued.leaf, data], now, host="www.example.com"), damaged)


CSRS = [
    build_csr(generate_key(kind), SubjectFields(common_name="www.example.com"), ["a.example"], ["192.0.2.1"])
    for kind in (KeyType.EC_P256, KeyType.RSA_2048)
]


@MANY
@given(original=st.sampled_from(CSRS), mutations=MUTATIONS)
def test_requests(original, mutations):
    parsed = survives(parse_csr, mutate(original, mutations))
    assert parsed is None or isinstance(parsed, ParsedCsr)


@SOME
@given(mutations=MUTATIONS)
def test_pasted_requests(mutations):
    survives(parse_csr, mutate(csr_pem(CSRS[0]), mutations))


@SOME
@given(data=st.binary(max_size=200))
def test_random_bytes(data):
    for parse in (parse_csr, parse_certificate, read_certificates, decode_private_key, decode_public_key):
        survives(parse, data)


@SOME
@given(mutations=MUTATIONS, pem=st.booleans(), bundle=st.booleans())
def test_certificate_files(issued, mutations, pem, bundle):
    chain = [issued.leaf, issued.issuing.certificate]
    data = write_pkcs7(chain) if bundle else certificates_pem(chain)
    damaged = mutate(data, mutations)
    survives(read_certificates, damaged if pem or bundle else issued.leaf[:1] + damaged)


@settings(SOME, max_examples=100)
@given(mutations=MUTATIONS)
def test_pkcs12_files(pkcs12, mutations):
    contents = survives(lambda data: read_pkcs12(data, b"pw"), mutate(pkcs12, mutations))
    assert contents is None or isinstance(contents, Pkcs12Contents)


@pytest.fixture(scope="module")
def pkcs12(issued):
    return write_pkcs12(issued.key, issued.leaf, passphrase=b"pw", name="www", legacy=True)


KEYS = [generate_key(kind) for kind in (KeyType.EC_P256, KeyType.RSA_2048, KeyType.ED25519)]


@SOME
@given(key=st.sampled_from(KEYS), mutations=MUTATIONS)
def test_keys(key, mutations):
    survives(decode_private_key, mutate(encode_private_key(key), mutations))
    survives(decode_public_key, mutate(spki_der(key.public_key()), mutations))


RECEIVER = generate_receiver_key()
KEK = KeyEncryptionKey(new_key())
ENVELOPE = seal(RECEIVER.public, b"secret", info=b"info")
BLOB = KEK.wrap(b"secret", b"aad")


@SOME
@given(mutations=MUTATIONS)
def test_envelopes_and_blobs(mutations):
    damaged = mutate(ENVELOPE, mutations)
    opened = survives(lambda data: open_sealed(RECEIVER, data, info=b"info"), damaged)
    assert (opened == b"secret") is (damaged == ENVELOPE)
    damaged = mutate(BLOB, mutations)
    unwrapped = survives(lambda data: KEK.unwrap(data, b"aad"), damaged)
    assert (unwrapped == b"secret") is (damaged == BLOB)
    survives(at_rest.key_id_of, damaged)
