"""Makes the nested objects of an order item: order, product, price list, stock list.

The fields and their order are those of the tables at the end of the document.
"""

from __future__ import annotations

from typing import Any

from order_cancellation.sandbox.draw import CITIES, COLOURS, GARMENTS, SIZES, Draw, stamp

ITEM_STATUSES = {
    "cancel": {"400": "approved", "450": "preparing"},
    "refund": {"500": "shipped", "550": "delivered"},
}


def make_order_item(
    draw: Draw, number: int, *, channel: int, customer: int, kind: str, cancel_status: str
) -> dict[str, Any]:
    """Return an order item object.

    Args:
        draw: Where the values come from.
        number: The cancellation request's number; the item's keys follow it.
        channel: The sales channel's pk.
        customer: The customer's pk.
        kind: ``cancel`` (before the parcel left) or ``refund`` (after).
        cancel_status: The cancellation's status, kept beside the item too.
    """
    status = draw.pick(tuple(ITEM_STATUSES[kind]))
    price = draw.money(20, 1500)
    shipped = kind == "refund"
    return {
        "pk": 5000 + number,
        "order": make_order(draw, number, channel=channel, customer=customer, status=status),
        "product": make_product(draw),
        "status": status,
        "price_currency": "try",
        "price": price,
        "tax_rate": draw.pick(("1.00", "10.00", "20.00")),
        "extra_field": {"kampanya": "Yaz indirimi", "satır_no": draw.number(1, 4)} if draw.flag() else {},
        "price_list": _price_list(draw),
        "stock_list": _stock_list(draw),
        "invoice_number": draw.maybe(f"ABC2026{draw.digits(9)}"),
        "invoice_date": draw.maybe(draw.moment_before(10)),
        "e_archive_url": draw.maybe(f"https://e-arsiv.example.com/fatura/{draw.uuid()}.pdf"),
        "cancel_status": cancel_status,
        "status_display": ITEM_STATUSES[kind][status],
        "installment_interest_amount": "0.00",
        "net_amount": price,
        "tracking_number": draw.digits(16) if shipped else None,
        "shipping_company": draw.pick(("yurtici", "aras", "mng", "ptt")) if shipped else None,
        "discount_amount": draw.pick(("0.00", draw.money(1, 15))),
        "shipment_code": draw.maybe(f"SHP-{draw.digits(8)}"),
        "benefitapplicant_set": [_benefit(draw)] if draw.flag() else [],
        "external_status": draw.maybe("erp_waiting"),
        "retail_price": draw.money(1500, 2000),
        "attributes": {"hediye_paketi": draw.flag(), "Not": "Kapıda zili çalmayın, öğleden sonra gelin."},
        "attributes_kwargs": _kwargs({"hediye_paketi": "Hediye paketi", "Not": "Müşteri notu"}),
        "tracking_url": draw.maybe(f"https://kargo.example.com/takip?no={draw.digits(16)}"),
        "image": draw.maybe(f"https://cdn.example.com/products/{draw.uuid()}/siyah-corap_size1024x1024.jpg"),
        "parent": draw.maybe(draw.number(1, 4999)),
        "data_source": draw.maybe(str(draw.number(1, 9))),
        "estimated_delivery_date": draw.maybe(stamp(draw.moment)),
        "datasource": draw.maybe(str(draw.number(1, 9))),
        "defined_tracking_url": draw.maybe(f"https://kargo.example.com/{draw.digits(10)}"),
        "carrier_shipping_code": draw.maybe(draw.digits(12)),
        "shipping_option_group": draw.maybe("standart"),
        "defined_shipping_company": draw.maybe("Yurtiçi Kargo"),
        "forced_refund": draw.flag(),
    }


def make_order(draw: Draw, number: int, *, channel: int, customer: int, status: str) -> dict[str, Any]:
    """Return an order object.

    Args:
        draw: Where the values come from.
        number: The cancellation request's number; the order's number follows it.
        channel: The sales channel's pk.
        customer: The customer's pk.
        status: The order's status code.
    """
    placed = draw.moment_before(20)
    return {
        "pk": 3000 + number,
        "number": str(429450000 + number),
        "channel": channel,
        "status": status,
        "date_placed": placed,
        "customer": customer,
        "shipping_address": draw.number(1, 90000),
        "billing_address": draw.number(1, 90000),
        "currency": "try",
        "amount": draw.money(1500, 4000),
        "shipping_amount": draw.pick(("0.00", "49.90")),
        "shipping_tax_rate": "20.00",
        "extra_field": {"fatura_tipi": draw.pick(("bireysel", "kurumsal"))} if draw.flag() else {},
        "payment_option": draw.maybe(
            {"pk": 4, "name": "Kredi Kartı", "slug": "kredi-karti", "payment_type": "credit_card"}
        ),
        "payment_option_slug": draw.maybe("kredi-karti"),
        "bin_number": draw.maybe(draw.digits(6)),
        "installment": draw.maybe(draw.number(1, 40)),
        "installment_count": draw.maybe(draw.pick((1, 3, 6, 9))),
        "delivery_type": draw.maybe("home_delivery"),
        "installment_interest_amount": "0.00",
        "cargo_company": draw.number(1, 6),
        "invoice_number": draw.maybe(f"ABC2026{draw.digits(9)}"),
        "invoice_date": draw.maybe(draw.moment_before(10)),
        "e_archive_url": f"https://e-arsiv.example.com/fatura/{draw.uuid()}",
        "refund_amount": draw.pick(("0.00", draw.money(20, 1500))),
        "discount_refund_amount": "0.00",
        "shipping_refund_amount": "0.00",
        "discount_amount": draw.pick(("0.00", draw.money(10, 100))),
        "is_send": draw.flag(),
        "net_shipping_amount": "0.00",
        "shipping_interest_amount": "0.00",
        "tracking_number": draw.digits(16),
        "carrier_shipping_code": draw.pick(("", draw.digits(12))),
        "remote_addr": draw.maybe(f"203.0.113.{draw.number(1, 254)}"),
        "fundstransfertransaction_set": [_transfer(draw)] if draw.flag() else [],
        "has_gift_box": draw.flag(),
        "gift_box_note": draw.pick(("", "Doğum günün kutlu olsun! İyi ki varsın.")),
        "external_status": draw.maybe("erp_sent"),
        "client_type": draw.pick(("default", "ios", "android")),
        "language_code": "tr-tr",
        "notes": draw.pick(("", "Müşteri arandı, ulaşılamadı.")),
        "delivery_range": draw.maybe("09:00-12:00"),
        "shipping_option_slug": draw.pick(("", "standart-teslimat")),
        "segment": draw.maybe("vip"),
        "modified_date": draw.moment_before(2),
        "checkout_provider_id": draw.maybe(draw.digits(8)),
        "created_date": placed,
        "cancellation_info": {"source": "müşteri", "channel": channel} if draw.flag() else {},
        "shipping_company": draw.maybe("yurtici"),
        "cancel_status": draw.maybe("waiting"),
        "defined_tracking_url": draw.maybe(f"https://kargo.example.com/{draw.digits(10)}"),
        "installment_free": draw.flag(),
        "first_refund_strategy": draw.maybe("credit_card"),
    }


def make_product(draw: Draw) -> dict[str, Any]:
    """Return a product object, with attributes whose names and values have Turkish letters."""
    code = f"AKN-{draw.number(1, 999):03d}"
    colour, garment, size = draw.pick(COLOURS), draw.pick(GARMENTS), draw.pick(SIZES)
    return {
        "pk": draw.number(1, 9000),
        "name": f"{colour} {garment}",
        "base_code": code,
        "sku": f"{code}-{size}",
        "product_type": "0",
        "is_active": draw.flag(),
        "parent": draw.maybe(draw.number(1, 9000)),
        "attributes": {"Yas": "18-25", "size": size, "Renk": colour, "Kumaş": "Pamuk", "Menşei": "Türkiye"},
        "attributes_kwargs": _kwargs({"Yas": "Yaş", "size": "Beden", "Renk": "Renk", "Kumaş": "Kumaş türü"}),
        "extra_attributes": {"bakım": "30 derecede yıkayınız, ağartıcı kullanmayınız."}
        if draw.flag()
        else {},
        "is_seller_product": draw.flag(),
        "group_products": [draw.number(1, 9000)] if draw.flag() else [],
        "productimage_set": [_image(draw, order) for order in range(draw.number(0, 2))],
        "attribute_set": draw.number(1, 12),
        "custom_attribute_set": draw.maybe(draw.number(1, 12)),
        "productization_date": draw.maybe(draw.moment_before(300)),
        "listing_code": draw.maybe(draw.digits(9)),
        "data_source": draw.maybe(str(draw.number(1, 9))),
        "modified_date": draw.moment_before(100),
        "uuid": draw.uuid(),
        "created_date": draw.moment_before(400),
        "localized_attributes": {"tr-tr": {"Renk": colour}, "en-us": {"Renk": "Black"}},
        "localized_attributes_kwargs": {},
        "tax_rate": draw.maybe("20.00"),
        "weight": draw.maybe("0.350"),
        "brand_id": draw.maybe(draw.number(1, 80)),
        "description": draw.maybe(
            f"{colour} {garment.lower()}; %100 pamuk, yumuşak dokulu, günlük kullanım için."
        ),
    }


def _price_list(draw: Draw) -> dict[str, Any]:
    return {
        "pk": draw.number(1, 9),
        "name": draw.pick(("TY_price_list", "Perakende Fiyat Listesi")),
        "code": draw.pick(("try", "perakende")),
        "is_auto_sync": draw.flag(),
        "modified_date": draw.moment_before(100),
        "created_date": draw.moment_before(400),
        "currency": "try",
    }


def _stock_list(draw: Draw) -> dict[str, Any]:
    return {
        "pk": draw.number(1, 9),
        "name": draw.pick(("TY Stok Listesi", "Gümüşsuyu Deposu")),
        "code": draw.maybe("ty"),
        "is_auto_sync": draw.flag(),
        "modified_date": draw.moment_before(100),
        "created_date": draw.moment_before(400),
    }


def _benefit(draw: Draw) -> dict[str, Any]:
    return {
        "pk": draw.number(1, 900),
        "benefit": draw.number(1, 90),
        "name": "Sepette %10 İndirim",
        "amount": draw.money(1, 90),
        "created_date": draw.moment_before(20),
    }


def _transfer(draw: Draw) -> dict[str, Any]:
    return {
        "pk": draw.number(1, 900),
        "reference_code": f"HVL{draw.digits(8)}",
        "amount": draw.money(1, 900),
        "branch": f"{draw.pick(CITIES)} Şubesi",
        "created_date": draw.moment_before(20),
    }


def _image(draw: Draw, order: int) -> dict[str, Any]:
    return {
        "pk": draw.number(1, 90000),
        "status": "active",
        "order": order,
        "image": f"https://cdn.example.com/products/{draw.uuid()}.jpg",
        "created_date": draw.moment_before(300),
    }


def _kwargs(labels: dict[str, str]) -> dict[str, Any]:
    return {
        key: {"label": label, "data_type": "text", "is_required": False, "value": None}
        for key, label in labels.items()
    }
