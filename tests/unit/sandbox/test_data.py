"""Made-up requests have every field of the document's tables, and are the same for the same seed."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path

import pytest

from order_cancellation.sandbox import STATUSES, TYPES, make_request
from order_cancellation.sandbox.exchange import encode

TOP = "Cancellation Request Object"
TABLES = json.loads((Path(__file__).parent / "document_tables.json").read_text())
DOCUMENT = Path(__file__).parents[4] / "shared" / "order-cancellation-request-flow.txt"
WHERE = {
    TOP: (),
    "Order Item Object": ("order_item",),
    "Order Object": ("order_item", "order"),
    "Product Object": ("order_item", "product"),
    "Price List Object": ("order_item", "price_list"),
    "Stock List Object": ("order_item", "stock_list"),
    "Reason Object": ("reason",),
    "Channel Object": ("channel",),
    "Customer Object": ("customer",),
}
FIELDS = [(table, name, kind) for table, fields in TABLES.items() for name, kind in fields.items()]
MANY = [make_request(number) for number in range(1, 101)]
KINDS = {"integer": int, "boolean": bool, "object": dict, "array": list, "string": str}


def inside(document, path):
    for name in path:
        document = document[name]
    return document


def read_tables(text):
    """Return object → field → kind from the document's last part."""
    part = text.split("Example Order Cancellation Request Data Structure from Omnitron")[-1]
    tables, name = {TOP: {}}, TOP
    paragraphs = [each.strip() for each in part.split("\n\n") if each.strip()]
    for first, second in itertools.pairwise(paragraphs):
        if re.fullmatch(r"[A-Z][A-Za-z ]+ Object", first):
            name = first
            tables[name] = {}
        elif re.fullmatch(r"[a-z_]+", first) and re.match(r"(integer|string|object|boolean|array)\b", second):
            tables[name][first] = second
    return tables


class TestFields:
    @pytest.mark.parametrize("table", TABLES)
    def test_an_object_has_the_tables_fields_in_the_tables_order(self, table):
        assert all(list(inside(each, WHERE[table])) == list(TABLES[table]) for each in MANY)

    @pytest.mark.parametrize(("table", "name", "kind"), FIELDS, ids=str)
    def test_a_field_is_of_the_tables_kind(self, table, name, kind):
        values = [inside(each, WHERE[table])[name] for each in MANY]
        wanted = KINDS[re.split(r"\W", kind)[0]]
        assert all(type(value) is wanted for value in values if value is not None)

    @pytest.mark.parametrize(("table", "name", "kind"), FIELDS, ids=str)
    def test_a_field_is_null_sometimes_and_only_where_the_table_allows_it(self, table, name, kind):
        empty = {inside(each, WHERE[table])[name] is None for each in MANY}
        assert empty == ({True, False} if "null" in kind else {False})

    @pytest.mark.skipif(
        not DOCUMENT.exists(), reason="the document lies beside the project only while it is made"
    )
    def test_the_tables_here_are_the_documents(self):
        assert read_tables(DOCUMENT.read_text()) == TABLES


class TestValues:
    def test_the_same_number_and_seed_make_the_same_request(self):
        assert make_request(7, seed="a") == make_request(7, seed="a")

    def test_another_seed_makes_another_request(self):
        assert make_request(7, seed="a")["uuid"] != make_request(7, seed="b")["uuid"]

    def test_numbers_have_their_own_uuids(self):
        assert len({each["uuid"] for each in MANY}) == len(MANY)

    def test_later_numbers_are_modified_later(self):
        dates = [each["modified_date"] for each in MANY]
        assert dates == sorted(set(dates))

    def test_every_request_has_turkish_letters(self):
        assert all(set("çğıöşüİŞÇĞÖÜ") & set(json.dumps(each, ensure_ascii=False)) for each in MANY)

    def test_a_request_has_the_size_of_a_real_one(self):
        assert all(5_500 < len(encode(each)) < 8_200 for each in MANY)

    def test_ibans_have_right_check_digits(self):
        ibans = [each["iban"] for each in MANY if each["iban"]]
        digits = [iban[4:] + "2927" + iban[2:4] for iban in ibans]
        assert ibans
        assert all(len(iban) == 26 and int(text) % 97 == 1 for iban, text in zip(ibans, digits, strict=True))

    def test_a_requests_parts_name_the_same_channel_and_customer(self):
        for each in MANY:
            order = each["order_item"]["order"]
            assert order["channel"] == each["customer"]["channel"] == each["channel"]["pk"]
            assert order["customer"] == each["customer"]["pk"]

    def test_there_are_several_channels(self):
        assert len({each["channel"]["pk"] for each in MANY}) > 2


class TestOverrides:
    @pytest.mark.parametrize("status", STATUSES)
    def test_a_status_can_be_asked_for(self, status):
        assert make_request(1, status=status)["status"] == status

    @pytest.mark.parametrize("kind", TYPES)
    def test_a_types_reason_is_of_that_type(self, kind):
        request = make_request(1, cancellation_type=kind)
        assert (request["cancellation_type"], request["reason"]["cancellation_type"]) == (kind, kind)

    def test_a_channel_can_be_asked_for(self):
        assert make_request(1, channel=77)["customer"]["channel"] == 77

    def test_nested_values_are_reached_by_two_underscores(self):
        assert make_request(1, order_item__order__number="A-1")["order_item"]["order"]["number"] == "A-1"

    def test_an_override_changes_nothing_else(self):
        assert {**make_request(3), "iban": "X"} == make_request(3, iban="X")
