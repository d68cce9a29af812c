"""Payloads come back as they were, and show nothing on the way."""

import json

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from order_cancellation.errors import ConfigurationError
from order_cancellation.ledger.cipher import Cipher, Under
from order_cancellation.ledger.schema import storable

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
TEXTS = st.text(st.characters(exclude_categories=()))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@given(value=JSON)
def test_every_json_value_comes_back(value):
    cipher = Cipher((NEW,))
    assert cipher.unpack(cipher.pack(value)) == value


@given(name=st.text("abcdefghij", min_size=6))
def test_nothing_of_it_can_be_read(name):
    assert name.encode() not in Cipher((NEW,)).pack({"first_name": name, "text": name * 20})


def test_old_keys_still_read_and_the_newest_writes():
    both = Cipher((NEW, OLD))
    assert both.unpack(Cipher((OLD,)).pack({"a": 1})) == {"a": 1}
    assert Cipher((NEW,)).unpack(both.pack({"a": 2})) == {"a": 2}


def test_a_missing_key_is_named_and_not_shown():
    packed = Cipher((OLD,)).pack({"a": 1})
    with pytest.raises(ConfigurationError, match="payload_key") as caught:
        Cipher((NEW,)).unpack(packed)
    assert OLD not in str(caught.value)
    assert NEW not in str(caught.value)


@pytest.mark.parametrize(
    ("keys", "under"), [((OLD,), Under.NEWEST), ((NEW, OLD), Under.OLDER), ((NEW,), Under.NONE)]
)
def test_under_which_key_something_is_can_be_told(keys, under):
    assert Cipher(keys).under(Cipher((OLD,)).pack({"a": 1})) == under


def test_what_is_renewed_needs_the_newest_key_alone():
    packed = Cipher((NEW, OLD)).renewed(Cipher((OLD,)).pack({"a": 1}))
    assert Cipher((NEW,)).unpack(packed) == {"a": 1}


def test_what_no_key_reads_is_not_renewed():
    with pytest.raises(ConfigurationError, match="payload_key"):
        Cipher((NEW,)).renewed(Cipher((OLD,)).pack({"a": 1}))


@given(text=TEXTS)
def test_whatever_a_text_holds_it_can_be_stored(text):
    stored = storable(text)
    assert "\0" not in stored
    assert stored.encode().decode() == stored


@given(text=st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0")))
def test_an_ordinary_text_is_left_as_it_is(text):
    assert storable(text) == text
    assert json.loads(json.dumps(text)) == storable(text)
