"""An address is joined to the connection's own, and can't be turned into another."""

from __future__ import annotations

import pytest

from order_cancellation.errors import ConfigurationError
from order_cancellation.http.urls import has_written_host, is_same_call_elsewhere, join_url, same_origin


@pytest.mark.parametrize(
    ("base", "url", "joined"),
    [
        ("https://erp.test", "/a", "https://erp.test/a"),
        ("https://erp.test/", "a", "https://erp.test/a"),
        ("https://erp.test/api/v2", "/a", "https://erp.test/api/v2/a"),
        ("https://erp.test/api/v2/", "a?x=1", "https://erp.test/api/v2/a?x=1"),
        ("https://erp.test/api", "?x=1", "https://erp.test/api?x=1"),
        ("https://erp.test/api", "", "https://erp.test/api"),
        ("https://erp.test", "", "https://erp.test/"),
        ("https://erp.test:8443", "/a", "https://erp.test:8443/a"),
        ("https://erp.test/api", "https://other.test/b?y=2", "https://other.test/b?y=2"),
        ("https://erp.test/api", "//evil.test/b", "https://erp.test/api/evil.test/b"),
        ("https://erp.test", "/a b/ö?q=ş t#part", "https://erp.test/a%20b/%C3%B6?q=%C5%9F%20t"),
        ("https://erp.test", "/a%2Fb", "https://erp.test/a%2Fb"),
        ("https://bücher.test", "/a", "https://xn--bcher-kva.test/a"),
        ("http://[::1]:8080", "/a", "http://[::1]:8080/a"),
    ],
)
def test_addresses_are_joined(base, url, joined):
    assert join_url(base, url) == joined


@pytest.mark.parametrize(
    "url",
    [
        "https://user:secret@erp.test/a",
        "https:///a",
        "https://erp.test:99999/a",
        "/a/../b",
        "/a/%2e%2E/b",
        "/./a",
        "https://[::1/a",
    ],
)
def test_what_leads_astray_is_refused_without_showing_secrets(url):
    with pytest.raises(ConfigurationError) as caught:
        join_url("https://erp.test", url)
    assert "secret" not in str(caught.value)


def test_a_connection_without_scheme_is_told():
    with pytest.raises(ConfigurationError, match="begin with https://"):
        join_url("erp.test", "/a")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("https://erp.test/{{ a }}", True),
        ("HTTPS://erp.test", True),
        ("https://{{ a }}/x", False),
        ("https://erp.{{ a }}/x", False),
        ("{{ a }}", False),
        ("/x", False),
    ],
)
def test_a_written_host_is_known_from_one_that_a_value_chooses(text, written):
    assert has_written_host(text) is written


def test_origins_are_scheme_host_and_port():
    assert same_origin("https://erp.test/a", "https://ERP.test:443/b")
    assert not same_origin("https://erp.test", "http://erp.test")
    assert not same_origin("nonsense", "https://erp.test")


@pytest.mark.parametrize(
    ("url", "location", "is_so"),
    [
        ("http://erp.test/c?n=1", "https://erp.test/c?n=1", True),
        ("http://erp.test:8080/c", "https://erp.test:8443/c", True),
        ("https://erp.test/c", "https://www.erp.test/c", True),
        ("https://erp.test/c", "//www.erp.test/c", True),
        ("https://erp.test/c", "/c/", True),
        ("https://erp.test/c/?n=1", "/c?n=1", True),
        ("https://erp.test/c%2F1?n=%C3%B6", "https://www.erp.test/c%2F1?n=ö", True),
        ("http://erp.test", "https://erp.test/", True),
        ("https://erp.test/c", "/c", False),
        ("https://erp.test/c", "https://ERP.test:443/c", False),
        ("https://erp.test/c", "http://erp.test/c", False),
        ("http://erp.test:8080/c", "http://erp.test/c", False),
        ("http://erp.test/c", "https://erp.test/c#done", False),
        ("http://erp.test/c", "https://erp.test/c?done=1", False),
        ("http://erp.test/c?n=1", "https://erp.test/c", False),
        ("http://erp.test/c", "https://erp.test/c/7", False),
        ("https://erp.test/c", "https://sign-in.test/?next=/c", False),
        ("https://erp.test/c%2F1", "https://www.erp.test/c/1", False),
        ("https://erp.test/c", "", False),
        ("https://erp.test/c", "https://[", False),
    ],
)
def test_a_call_is_sent_elsewhere_where_only_scheme_host_or_a_last_slash_differ(url, location, is_so):
    """Back to its own address leads also what shows a list after booking, TLS taken off by a proxy or not."""
    assert is_same_call_elsewhere(url, location) is is_so
