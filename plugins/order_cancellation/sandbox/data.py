"""Makes full cancellation request objects, as the tables at the end of the document have them."""

from __future__ import annotations

from typing import Any

from order_cancellation.sandbox.draw import ASCII, CITIES, FIRST_NAMES, LAST_NAMES, Draw, moment_of, stamp
from order_cancellation.sandbox.order_data import make_order_item
from order_cancellation.sandbox.paths import put

DEFAULT_SEED = "omnitron"
TYPES = ("cancel", "refund")
STATUSES = (
    "open",
    "waiting",
    "confirmation_waiting",
    "confirmed",
    "waiting_approval",
    "approved",
    "rejected",
    "waiting_for_payment",
    "manuel_refund_need",
    "completed",
)
CHANNELS = {
    2: ("Trendyol:3_Channel", "sales_channel"),
    5: ("Web Mağaza", "web"),
    7: ("Mobil Uygulama", "mobile"),
    9: ("Çağrı Merkezi", "instore"),
}
SUBJECTS = {
    "cancel": ("Yanlış ürün aldım.", "Siparişim gecikti.", "Fikrimi değiştirdim."),
    "refund": ("Ürün kusurlu geldi.", "Bedeni küçük geldi.", "Beğenmedim, iade etmek istiyorum."),
}


def make_request(
    number: int,
    *,
    seed: str = DEFAULT_SEED,
    status: str = "approved",
    cancellation_type: str | None = None,
    channel: int | None = None,
    **overrides: Any,
) -> dict[str, Any]:
    """Return one cancellation request with every field of the document's tables.

    Args:
        number: Its id; later numbers have later dates.
        seed: Decides all that is not asked for; the same number and seed give the same object.
        status: The request's status.
        cancellation_type: ``cancel`` or ``refund``; by default odd numbers are cancellations.
        channel: The sales channel's pk; by default drawn.
        **overrides: Other values by name; ``order_item__order__number`` reaches a nested one.
    """
    draw = Draw(f"{seed}:{number}", moment_of(number))
    kind = cancellation_type or TYPES[(number + 1) % 2]
    # drawn in any case, so that asking for a channel changes nothing else
    drawn_channel = draw.pick(tuple(CHANNELS))
    document = _request(draw, number, kind=kind, status=status, channel=channel or drawn_channel)
    for name, value in overrides.items():
        put(document, name.replace("__", "."), value)
    return document


def _request(draw: Draw, number: int, *, kind: str, status: str, channel: int) -> dict[str, Any]:
    first, last = draw.pick(FIRST_NAMES), draw.pick(LAST_NAMES)
    customer = 1000 + draw.number(1, 900)
    has_iban = kind == "refund" and draw.flag()
    return {
        "id": number,
        "cancellation_type": kind,
        "status": status,
        "easy_return": _easy_return(draw) if kind == "refund" and draw.flag() else None,
        "order_item": make_order_item(
            draw, number, channel=channel, customer=customer, kind=kind, cancel_status=status
        ),
        "reason": _reason(draw, kind),
        "channel": _channel(draw, channel),
        "customer": _customer(draw, customer, channel=channel, first=first, last=last),
        "created_date": draw.moment_before(1),
        "modified_date": stamp(draw.moment),
        "uuid": draw.uuid(),
        "description": draw.maybe(
            "Ürünü açmadım, kutusunda duruyor. İade için kuryeyi öğleden sonra gönderin."
        ),
        "iban": draw.iban() if has_iban else None,
        "holder_name": f"{first} {last}" if has_iban else None,
        "quantity": draw.maybe(draw.number(1, 3)),
        "fully_refund_as_loyalty_money": draw.flag(),
    }


def _easy_return(draw: Draw) -> dict[str, Any]:
    return {
        "id": draw.number(1, 9000),
        "shipping_company": "yurtici",
        "code": f"EASYRETURN{draw.digits(6)}",
        "start_date": draw.moment_before(3),
        "end_date": draw.maybe(stamp(draw.moment)),
        "max_count": 1,
        "status": "active",
        "raw_request": {},
        "raw_response": {},
        "tracking_number": draw.maybe(draw.digits(16)),
        "tracking_url": draw.maybe("https://kargo.example.com/iade"),
        "pickup_date": draw.maybe(stamp(draw.moment)),
        "created_date": draw.moment_before(3),
        "modified_date": draw.moment_before(2),
        "uuid": draw.uuid(),
    }


def _reason(draw: Draw, kind: str) -> dict[str, Any]:
    subject = draw.pick(SUBJECTS[kind])
    return {
        "pk": TYPES.index(kind) * 10 + SUBJECTS[kind].index(subject) + 1,
        "cancellation_type": kind,
        "extra_information_needed": draw.flag(),
        "order": 100,
        "subject": subject,
        "is_active": draw.flag(),
        "send_to_remote": draw.flag(),
        "modified_date": draw.moment_before(400),
        "created_date": draw.moment_before(800),
        "translations": draw.maybe({"subject": {"tr-tr": subject, "en-us": "I changed my mind."}}),
        "uuid": draw.uuid(),
        "send_to_oms": draw.flag(),
    }


def _channel(draw: Draw, pk: int) -> dict[str, Any]:
    name, kind = CHANNELS.get(pk, (f"Kanal {pk}", "sales_channel"))
    return {
        "pk": pk,
        "name": name,
        "channel_type": kind,
        "catalog": pk,
        "modified_date": draw.moment_before(60),
        "created_date": draw.moment_before(900),
        "category_tree": 1,
        "is_active": True,
        "conf": {"para_birimi": "try", "depo": "Gümüşsuyu", "senkron_dakika": 5, "iade_süresi_gün": 14},
        "schema": {
            "para_birimi": {"type": "string", "required": True, "label": "Para birimi"},
            "depo": {"type": "string", "required": True, "label": "Gönderinin çıktığı depo"},
            "senkron_dakika": {"type": "integer", "required": False, "label": "Eşitleme aralığı (dakika)"},
            "iade_süresi_gün": {"type": "integer", "required": False, "label": "İade süresi (gün)"},
        },
    }


def _customer(draw: Draw, pk: int, *, channel: int, first: str, last: str) -> dict[str, Any]:
    city = draw.pick(CITIES)
    return {
        "pk": pk,
        "channel": channel,
        "email": f"{first}.{last}{pk}@example.com".translate(ASCII).lower(),
        "first_name": first,
        "last_name": last,
        "phone_number": draw.maybe(draw.phone()),
        "is_active": True,
        "channel_code": draw.digits(8),
        "erp_code": draw.maybe(f"C{draw.digits(7)}"),
        "extra_field": {"şehir": city} if draw.flag() else {},
        "modified_date": draw.moment_before(30),
        "created_date": draw.moment_before(900),
        "date_joined": draw.maybe(draw.moment_before(900)),
        "email_allowed": draw.flag(),
        "sms_allowed": draw.flag(),
        "call_allowed": draw.flag(),
        "gender": draw.maybe(draw.pick(("female", "male"))),
        "attributes": {"şehir": city, "sadakat_seviyesi": draw.pick(("altın", "gümüş", "bronz"))},
        "user_type": draw.maybe("registered"),
        "date_of_birth": draw.maybe(f"19{draw.number(60, 99)}-0{draw.number(1, 9)}-1{draw.number(0, 9)}"),
        "attributes_kwargs": {"şehir": {"label": "Şehir", "data_type": "text", "value": None}},
        "localized_attributes": {},
        "localized_attributes_kwargs": {},
    }
