"""The wire: what is packed comes back, and no bytes make it do more than refuse."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_cancellation.scripts.child import frames


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_fields_come_back_as_they_were_packed(fields):
    assert frames.unpack(frames.pack(fields)[4:]) == fields


@given(st.binary(max_size=200))
def test_any_bytes_are_fields_or_refused(data):
    try:
        fields = frames.unpack(data)
    except frames.FrameError:
        return
    assert frames.pack(fields)[4:] == data


@given(st.binary(max_size=100), st.binary(min_size=8, max_size=8))
def test_only_one_whole_frame_with_the_nonce_counts(data, nonce):
    frame = frames.pack([nonce, data])
    assert frames.is_one(frame, nonce)
    assert not frames.is_one(frame + b"x", nonce)
    assert not frames.is_one(frame[:-1], nonce)
    assert not frames.is_one(frame, nonce[::-1] + b"x")


@given(st.text())
def test_any_text_can_be_sent(text):
    assert isinstance(frames.text(text), bytes)


def test_a_frame_over_the_cap_is_refused_unread():
    here, there = socket.socketpair()
    with here, there:
        there.sendall(b"\xff\xff\xff\xff")
        with pytest.raises(frames.FrameError, match="over the cap"):
            frames.read(here, 1000)


def test_an_end_in_the_middle_of_a_frame_is_an_end():
    here, there = socket.socketpair()
    with here:
        with there:
            there.sendall(frames.pack([b"abc"])[:-1])
        assert frames.read(here, 1000) is None
