"""Values stay where the template put them, and what is missing is named."""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_cancellation.errors import ConfigurationError
from order_cancellation.http.templates import Template, check_template, render_tree
from order_cancellation.http.urls import join_url

BASE = "https://erp.test:8443/api"
NASTY = st.one_of(
    st.text(min_size=1),
    st.sampled_from(
        ["../x", "a/b", "a?b=c", "a&b=c", "#x", "//evil.test", "https://evil.test/", "@evil.test"]
    ),
    st.sampled_from(["a\r\nX-Evil: 1", "\n", "%2e%2e", "%0d%0a", "ö ş", "{{ 1 }}", "\\..\\", chr(0)]),
)


def in_url(text, **values):
    return join_url(BASE, Template(text, "url").render_url(**values))


class TestRender:
    @pytest.mark.parametrize(
        ("text", "rendered"),
        [
            ("{{ request.id }}", "7"),
            ("{{ request['order_item'].pk }}", "5"),
            ("{{ body.items }}", '["a"]'),
            ("{{ attributes['log.note'] }}", "hi"),
            ("{{ request.iban }}", ""),
            ("{{ request.ok }}", "true"),
            ("{{ request.order_item }}", '{"pk": 5}'),
            ("{{ request.name | upper }}", "AYŞE"),
            ("{{ request.gone | default('none') }}", "none"),
            ("a\n", "a\n"),
        ],
    )
    def test_values_are_written_as_json_writes_them(self, text, rendered):
        request = {"id": 7, "order_item": {"pk": 5}, "iban": None, "ok": True, "name": "ayşe"}
        values = {"request": request, "attributes": {"log.note": "hi"}, "body": {"items": ["a"]}}
        assert Template(text).render(**values) == rendered

    @pytest.mark.parametrize(
        ("text", "named"),
        [
            ("{{ reqest.id }}", "reqest"),
            ("{{ request.idd }}", "idd"),
            ("{{ request.a.b }}", "request.a is not set"),
            ("{{ request.customer.lines[0].sku }}", r"request.customer.lines\[0\].sku is not set"),
            ("{{ request.nobody.mail }}", "null has no 'mail'"),
            ("{{ request.id.mail }}", "a text or number has no 'mail'"),
            ("{{ attributes.token }}", "attributes.token is not set"),
            ("{{ body[3] }}", r"body\[3\] is not set"),
        ],
    )
    def test_a_name_that_is_not_there_is_named_together_with_the_setting(self, text, named):
        request = {"id": 1, "nobody": None, "customer": {"lines": [{"pk": 1}]}}
        with pytest.raises(ConfigurationError, match=f"write_to_erp.url .*{named}"):
            Template(text, "write_to_erp.url").render(request=request, body=[])

    @pytest.mark.parametrize(
        "text",
        [
            "{{ ''.__class__.__mro__ }}",
            "{{ request.__class__ }}",
            "{{ request.update({'id': 2}) }}",
            "{{ request.tags.append(1) }}",
            "{{ cycler }}",
            "{{ ''.join.__globals__ }}",
        ],
    )
    def test_python_is_out_of_reach_and_the_request_can_not_be_changed(self, text):
        request = {"id": 1, "tags": []}
        with pytest.raises(ConfigurationError):
            Template(text).render(request=request)
        assert request == {"id": 1, "tags": []}

    def test_an_error_in_a_filter_does_not_show_the_value(self):
        with pytest.raises(ConfigurationError) as caught:
            Template("{{ request.name + 1 }}").render(request={"name": "John Doe"})
        assert "John" not in str(caught.value)
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None

    def test_texts_in_a_tree_are_filled_in_and_the_rest_stays(self):
        tree = {"key": "sent {{ request.id }}", "n": 1, "deep": [{"x": "{{ body.a }}"}, None, True]}
        filled = render_tree(tree, request={"id": 7}, body={"a": "b"})
        assert filled == {"key": "sent 7", "n": 1, "deep": [{"x": "b"}, None, True]}


def test_a_loop_without_an_end_is_an_error(monkeypatch):
    # ten seconds would be long
    monkeypatch.setattr("order_cancellation.cpu_limit.MOST_S", 0.05)
    rounds = "{% for _ in range(99999) %}"
    endless = Template(f"{rounds}{rounds}{{% endfor %}}{{% endfor %}}", "write_to_erp.url")
    with pytest.raises(ConfigurationError, match=r"write_to_erp.url can't be filled in.*no end"):
        endless.render_url()


class TestRenderUrl:
    @given(value=NASTY.filter(lambda text: text not in {".", ".."}))
    def test_a_value_in_the_path_stays_one_segment(self, value):
        parts = urlsplit(in_url("/a/{{ request.v }}/b", request={"v": value}))
        assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == ("https", "erp.test:8443", "", "")
        assert [unquote(segment) for segment in parts.path.split("/")] == ["", "api", "a", value, "b"]

    @given(value=NASTY)
    def test_a_value_in_the_query_stays_one_parameter(self, value):
        parts = urlsplit(in_url("/a?x={{ request.v }}&y=1", request={"v": value}))
        assert parse_qsl(parts.query, keep_blank_values=True) == [("x", value), ("y", "1")]
        assert (parts.netloc, parts.path) == ("erp.test:8443", "/api/a")

    @given(value=NASTY)
    def test_what_is_sent_holds_only_characters_that_may_be_sent(self, value):
        url = in_url("/ödeme yap?ş={{ request.v }}", request={"v": value})
        assert url.isascii()
        assert url.isprintable()
        assert " " not in url

    @pytest.mark.parametrize("value", [".", ".."])
    def test_a_value_can_not_climb(self, value):
        with pytest.raises(ConfigurationError, match="segment"):
            in_url("/a/{{ request.v }}/b", request={"v": value})

    @pytest.mark.parametrize("value", [None, ""])
    def test_no_value_in_the_path_would_name_another_address(self, value):
        with pytest.raises(ConfigurationError, match=r"null|empty"):
            in_url("/a/{{ request.v }}", request={"v": value})

    def test_an_empty_value_in_the_query_is_fine(self):
        assert in_url("/a?x={{ request.v or '' }}", request={"v": None}).endswith("/a?x=")

    def test_a_value_that_the_template_encodes_itself_is_encoded_once(self):
        assert in_url("/a/{{ request.v | urlencode }}", request={"v": "a/b c"}).endswith("/a/a%2Fb%20c")

    def test_an_object_becomes_a_query_by_urlencode(self):
        assert in_url("/a?{{ body | urlencode }}", body={"x": "1&2", "y": "z"}).endswith("?x=1%262&y=z")

    def test_numbers_and_truth_are_written_plainly(self):
        assert in_url("/a/{{ request.n }}/{{ request.t }}", request={"n": 7, "t": False}).endswith(
            "/a/7/false"
        )


class TestRenderHeader:
    @given(value=st.text())
    def test_no_value_begins_a_new_line(self, value):
        try:
            rendered = Template("v={{ request.v }}").render_header(request={"v": value})
        except ConfigurationError:
            assert any(mark < " " or ord(mark) == 127 for mark in value)
        else:
            assert not any(mark < " " or ord(mark) == 127 for mark in rendered)
            assert rendered == f"v={value}".strip(" \t")

    @pytest.mark.parametrize("value", ["a\r\nX: 1", "a\nb", "a\rb", f"a{chr(0)}b", None])
    def test_line_breaks_and_null_are_refused(self, value):
        with pytest.raises(ConfigurationError, match=r"headers\.X"):
            Template("{{ request.v }}", "headers.X").render_header(request={"v": value})


class TestCheck:
    @pytest.mark.parametrize(
        "text", ["", "/x", "{{ request.id }}", "{% for x in range(3) %}{{ x }}{% endfor %}"]
    )
    def test_a_good_template_has_nothing_wrong(self, text):
        assert check_template(text) is None

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("a\n{{ request.id", "line 2"),
            ("{{ x | nosuch }}", "nosuch"),
            ("{{ order.id }}", "order is not known"),
            ("{% if %}", "line 1"),
        ],
    )
    def test_what_is_wrong_is_told(self, text, told):
        assert told in check_template(text)

    def test_a_template_that_can_not_be_compiled_names_its_setting(self):
        with pytest.raises(ConfigurationError, match=r"write_to_erp\.url: line 1"):
            Template("{{", "write_to_erp.url").render_url()

    def test_other_files_can_not_be_read(self):
        with pytest.raises(ConfigurationError):
            Template("{% include '/etc/passwd' %}").render()

    @pytest.mark.parametrize("text", ["{{ 'x' | center(10 ** 15) }}", "{{ 'x' * 10 ** 15 }}"])
    def test_checking_works_nothing_out(self, text):
        assert check_template(text) is None
        assert Template(text)._url is not None
