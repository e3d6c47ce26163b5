"""JSON from outside is read the same way by the quick reader and by the lenient one."""

import json
import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.words import foreign
from pipeline.words.foreign import MAX_DIGITS, TooDeep, read_json, read_leniently

numbers = st.integers() | st.floats() | st.integers(-(10**400), 10**400)
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec=None)), inner, max_size=4),
    max_leaves=12,
)


def exactly(value):
    """Equal for equal values of the same types: 1 is not 1.0, and 0.0 not -0.0."""
    return json.dumps(value, ensure_ascii=True)


def outcome(read, body):
    try:
        return exactly(read(body))
    except ValueError as error:
        return type(error) is TooDeep


@given(value=values, ascii=st.booleans(), blank=st.sampled_from(["", " ", "\n\t"]))
def test_any_json_is_read_the_same_by_both(value, ascii, blank):
    body = (blank + json.dumps(value, ensure_ascii=ascii, separators=(f",{blank}", ":")) + blank).encode(errors="surrogatepass")
    assert outcome(read_json, body) == outcome(read_leniently, body)


@given(body=st.binary() | st.text(st.sampled_from('[]{}",:\\u0d8e.-+1 Na\n')).map(str.encode))
@example(b"")
@example(b"\xef\xbb\xbf[1]")
@example(b'{"a": 1, "a": 2}')
@example(b'["\\ud83d", "\\ud83d\\ude00", "\\u0000", "\xff", "\xed\xa0\xbd", "a\nb\x01"]')
@example(b"[-0, -0.0, 1E5, 5e-324, 1e-400, 12345678901234567890123]")
@example(b"[1, 01]")
@example(b"[1,]")
def test_any_bytes_are_read_or_refused_by_both(body):
    assert outcome(read_json, body) == outcome(read_leniently, body)


@pytest.mark.parametrize(
    ("body", "read"),
    [
        (b"[1e999, -1e999]", ["1e999", "-1e999"]),
        (b"[NaN, Infinity, -Infinity]", ["NaN", "Infinity", "-Infinity"]),
        (b"[" + b"9" * MAX_DIGITS + b"]", [10**MAX_DIGITS - 1]),
        (b"[" + b"9" * (MAX_DIGITS + 1) + b"]", ["9" * (MAX_DIGITS + 1)]),
        (b'["' + b"9" * 1000 + b'"]', ["9" * 1000]),
        (b'"half \\ud83d"', "half \ud83d"),
    ],
)
def test_what_cannot_be_held_stays_as_text(body, read):
    assert exactly(read_json(body)) == exactly(read)


def test_ordinary_items_never_meet_the_lenient_reader(monkeypatch):
    monkeypatch.setattr(foreign, "read_leniently", None)
    items = [
        {"ad_id": str(number) * 15, "spend": f"{number}.25", "impressions": number * 1000, "share": number / math.pi}
        for number in range(1, 1000)
    ]
    assert read_json(json.dumps(items).encode()) == items


def test_json_that_is_nested_too_deeply_is_refused():
    with pytest.raises(TooDeep):
        read_json(b"[" * 100_000 + b"]" * 100_000)
