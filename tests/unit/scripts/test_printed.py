"""What of a script's words reaches the task log."""

from __future__ import annotations

import json

import pytest

from order_cancellation.scripts import Outcome, mask, task_log_lines

CUSTOMER = {
    "customer": {
        "first_name": "Ayşe",
        "last_name": "Yılmaz",
        "email": "ayse@example.com",
        "phone_number": "5551112233",
    },
    "iban": "TR330006100519786457841326",
    "holder_name": "Ayşe Yılmaz",
    "channel": {"name": "Trendyol"},
    "order_item": {
        "order": {
            "remote_addr": "2001:db8::1",
            "shipping_address": {"line": "Gül Sk. 4", "name": "Ev adresi"},
        }
    },
}


class TestMask:
    @pytest.mark.parametrize(
        ("text", "secret"),
        [
            ("Authorization: Bearer abcdef123456", "abcdef123456"),
            ('{"password": "hunter22"}', "hunter22"),
            ("token=s3cr3t-value&x=1", "s3cr3t-value"),
            ("api_key: 'k-123456'", "k-123456"),
            ("client_secret=abc123", "abc123"),
            ("eyJhbGciOi.eyJzdWIi.c2ln", "eyJzdWIi"),
            ("write to john.doe@example.com", "john.doe"),
            ("iban DE89370400440532013000 is it", "DE89370400440532013000"),
            ("iban TR33 0006 1005 1978 6457 8413 26", "6457"),
            ("from 10.20.30.40", "10.20.30.40"),
            ("call +90 555 111 22 33", "111 22"),
        ],
    )
    def test_secrets_and_personal_patterns_are_masked(self, text, secret):
        assert secret in text
        assert secret not in mask(text)

    @pytest.mark.parametrize(
        "text", ["order 429452907 price 23.66", "2023-02-07T08:35:33.392858Z", "status=200", "sku AKN-005"]
    )
    def test_other_text_stays(self, text):
        assert mask(text) == text

    def test_the_requests_personal_values_are_masked_wherever_they_stand(self):
        shown = mask(
            "Ayşe Yılmaz, 5551112233, Gül Sk. 4, 2001:db8::1, Ev adresi of Trendyol", json.dumps(CUSTOMER)
        )
        assert shown == "***, ***, ***, ***, *** of Trendyol"

    def test_named_secrets_are_masked(self):
        assert mask("the word is swordfish", secrets=["swordfish"]) == "the word is ***"

    def test_an_input_that_is_no_json_is_no_error(self):
        assert mask("x", "no json") == "x"


class TestLines:
    def test_lines_carry_step_and_request(self):
        outcome = Outcome(printed="one\n\ntwo\n", log_lines=(("warning", "slow"),))
        assert task_log_lines(outcome, step="script", request=7) == [
            ("warning", "[script 7] slow"),
            ("info", "[script 7] one"),
            ("info", "[script 7] two"),
        ]

    def test_nothing_printed_is_no_line(self):
        assert task_log_lines(Outcome(), step="script") == []

    def test_long_lines_and_many_lines_are_cut(self):
        lines = task_log_lines(Outcome(printed="x" * 5000 + "\n" + "y\n" * 1000), step="script")
        assert len(lines) == 501
        assert len(lines[0][1]) < 2100
        assert lines[-1] == ("warning", "[script] 501 more lines are left out")

    def test_a_secret_across_the_cut_is_not_half_shown(self):
        for start in range(1980, 2520, 3):
            text = "x " * (start // 2) + "hunter2hunter2hunter2"
            ((_, line),) = task_log_lines(
                Outcome(printed=text), step="script", secrets=["hunter2hunter2hunter2"]
            )
            assert "hunt" not in line

    def test_lines_are_masked(self):
        outcome = Outcome(printed="holder Ayşe Yılmaz", log_lines=(("info", "password=abc12345"),))
        text = str(task_log_lines(outcome, step="script", input_text=json.dumps(CUSTOMER)))
        assert "Ayşe" not in text
        assert "abc12345" not in text
