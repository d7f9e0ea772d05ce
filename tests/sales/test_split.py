"""Splitting a batch into its sales: which faults refuse the batch, and which refuse one sale."""

import json

import pytest

from backend.sales.errors import BatchUnreadable, NotAnArray
from backend.sales.wire.split import DEPTH_MAX, cut, peek

pytestmark = pytest.mark.embedded

GOOD = b'{"numero_facture": "FAC-1"}'


def nested(depth: int) -> bytes:
    """Return an array whose deepest bracket is `depth` deep."""
    return b"[" * depth + b"]" * depth


def test_each_element_is_returned_byte_for_byte() -> None:
    body = b' [ {"b":1.50, "a" : "\xc3\xa9"},\n 2 , "x" ]'
    assert cut(body) == [b'{"b":1.50, "a" : "\xc3\xa9"}', b"2", b'"x"']


@pytest.mark.parametrize(
    "bad",
    [
        b'{"numero_facture": "FAC-2", "remise": NaN}',
        b'{"numero_facture": "FAC-2", "remise": -Infinity}',
        b'{"numero_facture": "FAC-2", "client": {"nom": "\\ud83d"}}',
        b'{"numero_facture": "FAC-2", "motif": "a\tb"}',
    ],
)
def test_a_batch_with_one_unreadable_sale_is_split_all_the_same(bad: bytes) -> None:
    assert cut(b"[" + GOOD + b" , " + bad + b"\n]") == [GOOD, bad]
    assert peek(bad)[0] == "FAC-2"


@pytest.mark.parametrize("body", [b"[]", b" [ ] "])
def test_an_empty_array_has_no_elements(body: bytes) -> None:
    assert cut(body) == []


@pytest.mark.parametrize("body", [b"{}", b"null", b'"x"', b"12", b'{"a": NaN}', b"NaN"])
def test_json_that_is_no_array_has_a_refusal_of_its_own(body: bytes) -> None:
    with pytest.raises(NotAnArray):
        cut(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[",
        b"]",
        b"[1,]",
        b"[1 2]",
        b"[1]]",
        b"[1] x",
        b"[NaN,]",
        b"[NaN] x",
        b"[NaN 1]",
        b"[{]}",
        b'["abc',
        b"\xef\xbb\xbf[1]",
        "[1]".encode("utf-16"),
        b'["\xff"]',
        b'["\xed\xa0\x80"]',
    ],
)
def test_a_batch_that_cannot_be_split_is_refused(body: bytes) -> None:
    with pytest.raises(BatchUnreadable):
        cut(body)


def test_it_accepts_nesting_up_to_the_limit_and_no_deeper() -> None:
    assert len(cut(nested(DEPTH_MAX))) == 1
    with pytest.raises(BatchUnreadable, match="32 niveaux"):
        cut(nested(DEPTH_MAX + 1))


def test_five_megabytes_of_brackets_are_refused_without_a_decoder() -> None:
    with pytest.raises(BatchUnreadable):
        cut(b"[" * 2_500_000 + b"]" * 2_500_000)


def test_brackets_inside_texts_do_not_count() -> None:
    text = json.dumps(["[" * 100 + '\\"' + "]{" * 50]).encode()
    assert len(cut(text)) == 1


@pytest.mark.parametrize(
    ("raw", "number", "sequence"),
    [
        (b'{"numero_facture": " FAC-1 ", "sequence": 7}', "FAC-1", 7),
        (b'{"numero_facture": "FAC-1", "sequence": 7, "remise": NaN}', "FAC-1", 7),
        (b'{"numero_facture": "FAC-1", "sequence": "7", "remise": NaN}', "FAC-1", None),
        (b'{"numero_facture": "FAC-1", "sequence": 99999999999999999999, "remise": NaN}', "FAC-1", None),
        (b'{"numero_facture": "FAC-1", "sequence": true}', "FAC-1", None),
        (b'{"numero_facture": "FAC-1", "sequence": -1}', "FAC-1", None),
        (b'{"numero_facture": "A~2"}', "", None),
        (b'{"numero_facture": "' + b"x" * 65 + b'"}', "", None),
        (b'{"numero_facture": "a\\u0000b"}', "", None),
        (b'{"numero_facture": 12}', "", None),
        (b"[1]", "", None),
        (b"12", "", None),
        (b"NaN", "", None),
    ],
)
def test_it_peeks_at_the_number_and_the_counter_of_a_malformed_sale(
    raw: bytes, number: str, sequence: int | None
) -> None:
    assert peek(raw) == (number, sequence)
