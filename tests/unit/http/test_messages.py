"""Whatever an answer says of itself, its text and data can be had."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_cancellation.http.messages import Answer


@pytest.mark.parametrize(
    ("body", "charset", "text"),
    [
        ("Çorap".encode(), None, "Çorap"),
        ("Çorap".encode("cp1254"), "windows-1254", "Çorap"),
        ("Çorap".encode("cp1254"), None, "Çorap"),
        ("Şifre: ığüşöç €".encode("cp1254"), None, "Şifre: ığüşöç €"),
        ("{Çorap}".encode("utf-16"), None, "{Çorap}"),
        ('{"a": "ş"}'.encode("utf-16-be"), None, '{"a": "ş"}'),
        (b"a\xff", "utf-8", "a\ufffd"),
        (b"abc", "no-such-charset", "abc"),
        (b"abc", "hex", "abc"),
        (b"xn--\xff", "idna", "xn--\ufffd"),
    ],
)
def test_text_is_never_an_error(body, charset, text):
    assert Answer(200, body=body, charset=charset).text == text


@pytest.mark.parametrize(
    ("body", "data"),
    [
        (b'{"a": 1}', {"a": 1}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b"OK", "OK"),
        (b"", ""),
        (b"[" * 100_000, "[" * 100_000),
    ],
    ids=["json", "with a byte order mark", "text", "nothing", "too deep"],
)
def test_data_are_json_or_else_the_text(body, data):
    assert Answer(200, body=body).data == data


@pytest.mark.parametrize(
    ("body", "is_page"),
    [
        (b"<!DOCTYPE html><title>Sign in</title>", True),
        (b"\xef\xbb\xbf\n<HTML lang=tr>", True),
        (b'"<html>Sign in</html>"', True),
        (b"\r\n<!-- Copyright -->\r\n<!DOCTYPE html>\r\n<html><title>Sign in</title>", True),
        (b'<?xml version="1.0"?><!-- two\nlines --><!----><html>', True),
        (b"<!-- <html> --><order/>", False),
        (b"<!-- <html>", False),
        (b"<soap:Envelope/>", False),
        (b'{"text": "<html>"}', False),
        (b"", False),
    ],
)
def test_a_page_for_people_is_told_by_its_text_and_not_by_what_it_is_called(body, is_page):
    assert Answer(200, headers={"content-type": "application/json"}, body=body).is_web_page is is_page


@pytest.mark.parametrize("text", [b"<!---->", b"<!-- ", b"<!-- -->\n", b"<?a?>", b" ", b"<!--\n--"])
def test_no_text_takes_long_to_be_told_from_a_page(text):
    answer = Answer(200, body=text * 100_000)
    begun = time.process_time()
    assert not answer.is_web_page
    assert time.process_time() - begun < 5


@given(body=st.binary(max_size=50), charset=st.none() | st.text(max_size=12))
def test_no_body_and_no_charset_break_it(body, charset):
    answer = Answer(200, body=body, charset=charset)
    assert isinstance(answer.text, str)
    assert answer.data is not NotImplemented
