"""No secret and nothing personal gets into what people and logs see, and what helps them stays."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_cancellation.http.masking import (
    HIDDEN,
    endpoint_secrets,
    excerpt,
    mask,
    outline,
    personal_values,
    redact,
    redact_text,
    secret_headers,
)
from order_cancellation.http.messages import Answer
from unit.http.fakes import an_endpoint, json_answer

PERSONAL = [
    "first_name",
    "last_name",
    "email",
    "phone_number",
    "iban",
    "holder_name",
    "shipping_address",
    "billing_address",
    "remote_addr",
    "date_of_birth",
    "firstName",
    "CustomerEmail",
    "IBAN_NO",
    "holder-name",
    "cepTelefonu",
    "access_token",
    "password",
]
PLAIN = ["id", "uuid", "status", "amount", "sku", "name", "number", "channel", "token_type", "reason"]
TELLING = [
    "john.doe+x@mail.example.com",
    "TR330006100519786457841326",
    "TR33 0006 1005 1978 6457 8413 26",
    "DE89370400440532013000",
    "+90 532 123 45 67",
    "05321234567",
    "0 (532) 123 45 67",
    "192.168.1.17",
    "2001:db8:0:0:0:0:0:1",
    "eyJhbGciOi.eyJzdWIiOi.c2ln",
]
HARMLESS = [
    "2023-02-07T08:35:33.392858Z",
    "0da0efc9-a828-4b5e-b4cd-5ffe03b8b7ac",
    "1905.84",
    "AKN-005",
    "429452907",
    "7260000009966030",
    "version 1.2.3",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)


class TestRedact:
    @pytest.mark.parametrize("key", PERSONAL)
    def test_personal_data_are_hidden_under_any_spelling(self, key):
        assert redact({"a": [{key: "John"}]}) == {"a": [{key: HIDDEN}]}

    @pytest.mark.parametrize("key", PLAIN)
    def test_what_is_nobodys_stays(self, key):
        assert redact({key: "AKN-005"}) == {key: "AKN-005"}

    @pytest.mark.parametrize("value", TELLING)
    def test_values_that_show_what_they_are_are_hidden_anywhere(self, value):
        assert redact(f"see {value} there") == f"see {HIDDEN} there"

    @pytest.mark.parametrize("value", HARMLESS)
    def test_dates_numbers_and_identifiers_stay(self, value):
        assert redact(value) == value

    @pytest.mark.parametrize("person", ["customer", "Buyer", "recipient"])
    def test_a_persons_name_is_hidden_and_a_products_stays(self, person):
        value = {person: {"name": "John"}, "product": {"name": "Shirt"}, "lines": [{"name": "Shirt"}]}
        assert redact(value) == value | {person: {"name": HIDDEN}}
        assert personal_values(value) == ["John"]

    def test_a_whole_address_is_hidden_and_its_keys_stay(self):
        value = {"shipping_address": {"city": "Izmir", "lines": ["a", 2]}, "email_allowed": False}
        hidden = {"shipping_address": {"city": HIDDEN, "lines": [HIDDEN, HIDDEN]}, "email_allowed": False}
        assert redact(value) == hidden

    def test_nothing_is_changed_in_place_and_null_tells_that_nothing_is_there(self):
        value = {"iban": None, "email": "a@b.co"}
        assert redact(value) == {"iban": None, "email": HIDDEN}
        assert value["email"] == "a@b.co"

    @given(JSON)
    def test_any_json_value_keeps_its_shape(self, value):
        assert outline(redact(value)) == outline(value)


class TestMask:
    @given(secret=st.text(min_size=3, max_size=20).filter(lambda text: "*" not in text))
    def test_a_secret_is_gone_however_it_is_spelled(self, secret):
        spellings = [secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode()]
        for spelling in [*spellings, json.dumps(secret)[1:-1]]:
            assert mask(f"<{spelling}>", [secret, None, ""]) == f"<{HIDDEN}>"

    @pytest.mark.parametrize(
        "said",
        [
            "IŞIL TÜRKOĞLU",
            "ışıl türkoğlu",
            "işil türkoğlu",
            r"I\u015F\u0131l T\u00FCrko\u011Flu",
            "Işıl%20T%C3%BCrko%C4%9Flu",
        ],
    )
    def test_so_is_a_name_in_small_and_capital_letters(self, said):
        assert mask(f"{said} has none, {said}", ["Işıl", "Türkoğlu"]).count(HIDDEN) == 4

    @pytest.mark.parametrize(
        "said", ["TUGBA NUR AGAOGLU", "tugba nur agaoglu", "TUĞBA NUR AĞAOĞLU", "Tuğba Nur Ağaoğlu"]
    )
    def test_so_is_a_name_that_an_old_system_writes_without_turkish_letters(self, said):
        assert mask(f"{said} yok", ["Tuğba Nur Ağaoğlu"]) == f"{HIDDEN} yok"

    @given(st.text("abcçğıöşüÇĞİÖŞÜâîû ", min_size=3, max_size=20))
    def test_so_is_any_name_in_plain_capitals(self, name):
        plain = name.translate(str.maketrans("çğıöşüÇĞİÖŞÜâîû", "cgiosuCGIOSUaiu")).upper()
        assert mask(f"<{plain}>", [name]) == f"<{HIDDEN}>"

    def test_what_stands_around_it_keeps_its_letters(self):
        assert mask("İADE: IŞIL için YOK", ["Işıl"]) == f"İADE: {HIDDEN} için YOK"

    def test_short_texts_would_blot_out_everything(self):
        assert mask("a bad day", ["a", ""]) == "a bad day"


class TestNumbersOfTheRequest:
    PHONE, IBAN = "+905368098990", "TR471417503935572310105999"

    @pytest.mark.parametrize(
        "said",
        ["5368098990", "536 809 89 90", "0536 809 89 90", "536-809-89-90", "(0536) 809 8990", "905368098990"],
    )
    def test_a_phone_number_is_known_by_its_last_ten_digits(self, said):
        shown = mask(f"{said} yok", [self.PHONE])
        assert not set("5368") & set(shown)
        assert shown.endswith(f"{HIDDEN} yok")

    @pytest.mark.parametrize(
        "said",
        ["TR47 1417 5039 3557 2310 1059 99", "471417503935572310105999", "1417-5039-3557-2310-1059-99"],
    )
    def test_an_iban_is_known_without_its_country(self, said):
        shown = mask(f"{said} yok", [self.IBAN])
        assert "1417" not in shown
        assert shown.endswith(f"{HIDDEN} yok")

    @given(st.text("0123456789", min_size=10, max_size=13), st.lists(st.sampled_from([*" -./()", ""])))
    def test_whatever_stands_between_the_digits(self, number, gaps):
        spelled = "".join(digit + gap for digit, gap in zip(number, [*gaps, *[""] * 13], strict=False))
        shown = mask(f"no {spelled}: unknown", [f"+{number}"])
        assert HIDDEN in shown
        assert sum(map(str.isdecimal, shown)) <= len(number) - 10

    @given(st.text("0123456789 -.", max_size=40).filter(lambda text: "5368" not in text))
    def test_other_numbers_stay(self, text):
        assert mask(text, [self.PHONE, self.IBAN]) == text

    @pytest.mark.parametrize(
        "text", [*HARMLESS, "53680989901", "536809899", "5368098990123456", "47 1417 5039"]
    )
    def test_a_number_that_only_begins_like_one_stays(self, text):
        assert mask(text, [self.PHONE, self.IBAN]) == text

    def test_what_is_short_or_no_number_is_looked_for_as_it_is(self):
        assert mask("3 4 0 0 0, no 1 2 3 4 5 6 7 8 9 0", ["34000", "no 1234567890 x"]).count(HIDDEN) == 0


class TestExcerpt:
    def test_json_is_shown_without_personal_data_on_one_line(self):
        answer = json_answer({"detail": "no\nsuch order", "customer": {"first_name": "John"}})
        assert excerpt(answer) == '{"detail": "no\\nsuch order", "customer": {"first_name": "***"}}'

    def test_it_is_cut(self):
        assert len(excerpt(Answer(500, body=b"x" * 10_000))) == 301

    @pytest.mark.parametrize("size", [19_000, 30_000])
    def test_a_large_answer_shows_its_beginning(self, size):
        answer = json_answer({"first_name": "Johanna", "filler": "x" * size})
        shown = excerpt(answer)
        assert shown.startswith('{"first_name": ')
        assert "xxx" in shown
        assert "Johanna" not in shown

    def test_an_empty_answer_says_so(self):
        assert excerpt(Answer(502)) == "(empty)"

    @pytest.mark.parametrize(
        "text",
        [
            '{"error": "x", "email": "john@doe.test", "first_name": "John", "iba',
            '{"error": "x", "first_name": "John',
            "<r><first_name>John</first_name><Email>john@doe.test</Email></r>",
            "first_name=John&email=john@doe.test",
            "Error for john@doe.test, firstName: 'John'",
        ],
        ids=["half JSON", "half a name", "XML", "form", "sentence"],
    )
    def test_what_is_no_json_is_masked_as_well(self, text):
        assert "john" not in excerpt(Answer(200, body=text.encode())).lower()

    def test_what_is_known_of_the_request_is_masked_in_any_sentence(self):
        request = {"customer": {"first_name": "Johanna", "last_name": "Doe-Smith"}, "holder_name": "J. Doe"}
        answer = json_answer({"message": "Johanna Doe-Smith (J. Doe) has no order 17"})
        assert excerpt(answer, about=request) == '{"message": "*** *** (***) has no order 17"}'

    def test_secrets_of_the_connection_are_masked(self):
        assert "s3cret" not in excerpt(Answer(400, body=b"bad s3cret"), secrets=["s3cret"])


def test_a_number_that_is_personal_is_found_and_a_short_one_is_not():
    request = {"customer": {"phone": 905321234567, "identity_number": 12345678901}, "address": {"no": 12}}
    assert personal_values(request) == ["905321234567", "12345678901"]


def test_headers_whose_name_sounds_secret_are():
    headers = {"X-Api-Key": "k-123", "Authorization": "Basic abc", "X-Document-Type": "RETURN"}
    assert secret_headers(headers) == ["k-123", "Basic abc"]


def test_personal_values_are_found_once_and_only_under_personal_keys():
    value = {
        "first_name": "Ayse",
        "x": [{"holder_name": "Ayse"}, {"email": "a@b.co"}],
        "sku": "AKN",
        "iban": "x",
    }
    assert personal_values(value) == ["Ayse", "a@b.co"]


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "part", ["a", "a@", "1.", "0 ", "<a ", "AB12 ", '"a":', "a:", "eyJ-", "+90", "a" * 70 + "="]
)
def test_no_text_takes_for_ever(part):
    """A pattern that goes back and forth would take minutes for these."""
    assert isinstance(redact_text(part * (200_000 // len(part))), str)


@pytest.mark.parametrize("text", ["Işıl called", "I%C5%9F%C4%B1l%20T", "I\\u015f\\u0131l"])
def test_half_a_character_among_the_secrets_hides_no_other(text):
    """As Omnitron may spell it in JSON; no encoding knows it."""
    assert "***" in mask(text, ["\ud83d lone", "Işıl"])


@pytest.mark.parametrize("label", ["Telefon", "Phone", "tel", "cep", "Cep", "GSM", "gsm", "musteri_tel"])
@pytest.mark.parametrize("number", ["0536 809 89 90", "+90 (536) 809 89 90", "536 809 89 90", "5368098990"])
@pytest.mark.parametrize("sign", [": ", "="])
def test_a_number_behind_a_label_is_hidden_whole(label, number, sign):
    assert redact_text(f"{label}{sign}{number} hatalı") == f"{label}{sign}{HIDDEN} hatalı"


def test_an_iban_in_groups_behind_a_label_is_hidden_whole():
    assert redact_text("IBAN: TR47 1417 5039 3557 2310 1059 99 hatalı") == f"IBAN: {HIDDEN} hatalı"
    assert redact_text("iban=1417 5039 3557 2310, x=1") == f"iban={HIDDEN}, x=1"


@pytest.mark.parametrize("key", ["TelNo", "CepTel", "ceptel", "tel_no", "TEL", "musteriTel", "evTel"])
def test_short_labels_of_a_phone_number_are_known(key):
    assert redact({key: "5368098990"}) == {key: HIDDEN}


@pytest.mark.parametrize(
    "key", ["hotel", "exception", "concept", "telegram", "cepte", "accepted", "order_no"]
)
def test_and_are_no_part_of_other_words(key):
    assert redact({key: "5368098990"}) == {key: "5368098990"}


@given(st.lists(st.integers(1, 10**17), min_size=1, max_size=4))
def test_numbers_behind_an_ordinary_label_stay(numbers):
    text = f"order: {' '.join(map(str, numbers))}"
    assert redact_text(text) == text


def test_a_text_keeps_what_helps():
    assert redact_text("Order 17: status=wrong, email=a@b.co") == f"Order 17: status=wrong, email={HIDDEN}"


def test_all_that_a_connection_holds_counts_as_secret():
    options = {
        "client_secret": "one1",
        "refresh_token": "two2",
        "secret_headers": {"X-Key": "three3"},
        "login_headers": {"x": "four4"},
        "extra_body": {"deep": ["five5"]},
        "scope": "not",
    }
    secrets = endpoint_secrets(an_endpoint(options=options))
    assert {"s3cret-pass", "one1", "two2", "three3", "four4", "five5"} <= set(secrets)
    assert "not" not in secrets


def test_an_ip_address_is_masked_but_where_it_is_a_urls_host():
    """Which system a call went to is no personal data, and without it nobody can tell what is down."""
    v6 = "[fd00:0:0:0:0:0:0:7]"
    told = f"POST http://10.1.2.3:9207/erp and https://{v6}/x were not sent for 10.1.2.3 and {v6}"
    hidden = f"POST http://10.1.2.3:9207/erp and https://{v6}/x were not sent for *** and [***]"
    assert redact_text(told) == hidden
    assert redact({"url": "http://10.1.2.3/x", "seen_at": "10.1.2.3"})["url"] == "http://10.1.2.3/x"
