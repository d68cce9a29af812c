"""Nothing secret and nothing personal in messages, logs and pages.

Personal data are those of the document's tables (the customer's names, e-mail, phone and date of birth, the
refund's IBAN and holder name, addresses, the client's IP) under whatever name a mapping or an ERP gives them:
keys are compared without case and punctuation, so ``first_name``, ``FirstName`` and ``customer-firstname``
are one. Values that show what they are (e-mail addresses, IBANs, phone numbers, IP addresses) are masked in
any text.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, lru_cache
from typing import Any, Protocol
from urllib.parse import quote

from order_cancellation.http.endpoint import Endpoint

__all__ = [
    "HIDDEN",
    "beginning",
    "endpoint_secrets",
    "excerpt",
    "mask",
    "masker",
    "outline",
    "personal_values",
    "redact",
    "redact_text",
    "secret_headers",
]

HIDDEN = "***"
EXCERPT_CHARS = 300
LOOKED_AT_CHARS = 20_000
SHORTEST_SECRET = 3
"""Shorter ones would blot out every text and hide nothing."""
SHORTEST_NUMBER = 5
"""Likewise; phone and identity numbers are longer."""

PERSONAL_KEYS = (
    *("firstname", "lastname", "fullname", "middlename", "surname", "customername", "buyername"),
    *("holdername", "accountholder", "accountowner", "cardholder", "iban", "accountnumber", "cardnumber"),
    *("email", "mailaddress", "eposta", "phone", "mobile", "gsm", "telefon", "fax"),
    *("address", "adres", "remoteaddr", "ipaddr", "clientip", "street", "postcode", "zipcode", "postalcode"),
    *("dateofbirth", "birthdate", "birthday", "gender", "identitynumber", "nationalid", "tckn", "passport"),
    *("adsoyad", "soyad", "giftboxnote"),
)
SECRET_KEYS = (
    *(
        "password",
        "passwd",
        "parola",
        "secret",
        "token",
        "authorization",
        "apikey",
        "accesskey",
        "privatekey",
    ),
    *("cookie", "credential", "sessionid"),
)
HARMLESS_KEYS = frozenset({"tokentype", "tokengeneration", "emailallowed", "addresstype", "mobileapp"})
PERSONS = frozenset({"customer", "buyer", "recipient", "person", "contact", "holder", "user", "musteri"})
"""What stands for a person: the ``name`` in it is personal, while a product's or a channel's is not."""
EXACT_KEYS = frozenset(
    {"name1", "name2", "mail", "ip", "dob", "pwd", "key", "jwt", "tel", "telno", "cep", "cepno", "ceptel"}
)
SHORT_WORDS = frozenset({"tel", "cep"})
"""Personal as a word of the key, as in ``CepTelNo``; inside of words they are in hotel, except."""

VALUES = re.compile(
    r"""
    [\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}         # e-mail
    | \b[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{4}){3,7}(?:[ ]?[A-Z0-9]{1,4})?\b   # IBAN
    | (?<![\w.+-])(?:\+\d{2}|00\d{2}|0)[ (-]*\d{3}[ )-]*\d{3}[ -]?\d{2}[ -]?\d{2}(?![\w.-])  # phone
    | (?<![\w.])(?<!://)(?:\d{1,3}\.){3}\d{1,3}(?![\w.])    # IPv4, but where it is a URL's host
    | (?<![\w:])(?<!://\[)(?:[0-9a-f]{1,4}:){4,7}[0-9a-f]{1,4}(?![\w:])  # IPv6
    | (?<![\w-])eyJ[\w-]+\.[\w-]+\.[\w-]*                   # JSON web token
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""Every part is bounded or can begin in one place only: an answer of megabytes must not take hours."""
PAIR = re.compile(
    r"""
    (["']?)([\w.-]{2,60})\1(\s*[:=]\s*)
    ("(?:[^"\\]|\\.)*"?|'[^']*'?
    | \+?[\d(](?:[ ()/-]{0,3}\d){6,30}(?![^\s,;&<>"'}\]])     # a number in groups, to its end
    | [^\s,;&<>"'}\]]+)
    """,
    re.VERBOSE,
)
ELEMENT = re.compile(r"<([\w:.-]{2,60})([^<>]*)>([^<>]+)<")

_PLAIN_LETTERS = str.maketrans("İIığĞüÜşŞöÖçÇâÂîÎûÛ", "iiigguussooccaaiiuu")
"""Turkish has two i, and who writes a name in capitals by English rules makes another one of it; old systems
know none of the others."""
_NO_DIGITS = bytes(set(range(256)) - set(b"0123456789"))
_A_NUMBER = re.compile(r"(?P<country>[A-Za-z]{2})?[0-9 ()./+-]{10,50}")
_GAP = r"[ ()./+-]{0,3}"
_CHECK_DIGITS = 2
_PHONE_DIGITS = 10
"""Those that stay: what is before them, +90, 90 or 0, may be left out."""
_LONGEST_PHONE = 15


class Body(Protocol):
    """What an answer says: its text, and that as parsed JSON where it is JSON."""

    @property
    def text(self) -> str:
        """The text."""

    @property
    def data(self) -> Any:
        """The parsed JSON, or the text."""


def mask(text: str, secrets: Iterable[str | None]) -> str:
    """Take the given secrets out of a text, in small and capital letters, as URLs, JSON and Basic spell them.

    Letters count without their Turkish dots and tails, and of phone and account numbers only the digits.

    Args:
        text: Any text.
        secrets: What must not be seen; shorter than three characters and None are passed over.
    """
    return masker(secrets)(text)


def masker(secrets: Iterable[str | None]) -> Callable[[str], str]:
    """Return ``mask`` for several texts and the same secrets: spelling them out costs more than masking.

    Args:
        secrets: As for ``mask``.
    """
    known = [secret for secret in secrets if secret and len(secret) >= SHORTEST_SECRET]
    as_they_are = _longest_first(spelling for secret in known for spelling in (secret, _base64(secret)))

    @cache
    def in_any_spelling() -> list[str]:
        return _longest_first(
            [*as_they_are, *(spelling for secret in known for spelling in _encoded(secret))]
        )

    @cache
    def numbers() -> list[str]:
        return _longest_first(filter(None, map(_number, known)))

    def masked(text: str) -> str:
        folded = _folded(text)
        for spelling in in_any_spelling() if _ENCODED.search(text) else as_they_are:
            parts = folded.split(spelling)
            if len(parts) > 1:
                text = HIDDEN.join(_cut(text, parts, len(spelling)))
                folded = HIDDEN.join(parts)
        digits = _digits(text)
        for number in numbers() if len(digits) >= _PHONE_DIGITS else ():
            if number in digits:  # as it is in next to no text, and to look for its spellings takes long
                text = re.sub(rf"{_GAP.join(number)}(?!\d)", HIDDEN, text)
        return text

    return masked


def _number(secret: str) -> str | None:
    """Return the digits by which a phone or account number is known however it is written, if it is one."""
    found = _A_NUMBER.fullmatch(secret)
    if not found:
        return None
    digits = _digits(secret)
    if found["country"]:
        digits = digits[_CHECK_DIGITS:]
    elif len(digits) <= _LONGEST_PHONE:
        digits = digits[-_PHONE_DIGITS:]
    return digits if len(digits) >= _PHONE_DIGITS else None


def _digits(text: str) -> str:
    return text.encode(errors="ignore").translate(None, _NO_DIGITS).decode()


def _longest_first(spellings: Iterable[str]) -> list[str]:
    return sorted({_folded(spelling) for spelling in spellings}, key=len, reverse=True)


def _folded(text: str) -> str:
    """Return a text in which case and Turkish letters do not count, of the same length."""
    return text.translate(_PLAIN_LETTERS).lower()


def _cut(text: str, parts: list[str], gap: int) -> Iterator[str]:
    """Cut a text into parts of the same lengths, with a gap between each two."""
    at = 0
    for part in parts:
        yield text[at : at + len(part)]
        at += len(part) + gap


def _base64(secret: str) -> str:
    return base64.b64encode(secret.encode("utf-8", "surrogatepass")).decode()


_ENCODED = re.compile(r"[%+\\]")
"""What a text has in which anything is spelled as in URLs or JSON, and differs from what it was."""


def _encoded(secret: str) -> Iterator[str]:
    quoted = quote(secret, safe="", errors="surrogatepass")
    yield quoted
    yield quoted.replace("%20", "+")
    yield json.dumps(secret)[1:-1]


def redact(value: Any) -> Any:
    """Return a JSON value with personal data and secrets replaced by ``***``.

    Keys stay, and so do null, true and false: they tell nothing about a person.

    Args:
        value: Anything that JSON knows; it is left as it is.
    """
    return _redacted(value, about="")


def _redacted(value: Any, about: str) -> Any:
    """Redact a value that stands under the key ``about``."""
    if isinstance(value, Mapping):
        return {
            key: _hidden(item) if _is_private(str(key), about) else _redacted(item, str(key))
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_redacted(item, about) for item in value]
    return VALUES.sub(HIDDEN, value) if isinstance(value, str) else value


def _hidden(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _hidden(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden(item) for item in value]
    return value if value is None or isinstance(value, bool) or value == "" else HIDDEN


@lru_cache(maxsize=4096)  # the same few hundred keys come back with every request
def _is_private(key: str, about: str = "") -> bool:
    plain = _plain(key)
    if plain == "name":
        return _plain(about) in PERSONS
    if plain in HARMLESS_KEYS:
        return False
    if plain in EXACT_KEYS or any(part in plain for part in (*PERSONAL_KEYS, *SECRET_KEYS)):
        return True
    return any(word.lower() in SHORT_WORDS for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", key))


def _plain(key: str) -> str:
    return re.sub(r"[^a-z0-9]", "", key.lower())


def personal_values(value: Any) -> list[str]:
    """Return the personal data in a JSON value, so that texts that repeat them can be masked too.

    An ERP's answer may say "John Doe has no such order": no pattern finds a name, only knowing it does.

    Args:
        value: A cancellation request, or a body made of it.
    """
    found: dict[str, None] = {}
    _gather(value, "", private=False, found=found)
    return list(found)


_NESTED = (dict, list, tuple)


def _gather(value: Any, about: str, *, private: bool, found: dict[str, None]) -> None:
    """Add the private texts in a value to ``found``; asked for each request that a script logs of."""
    if isinstance(value, str):
        if private and len(value) >= SHORTEST_SECRET:
            found[value] = None
    elif isinstance(value, int):
        if private and abs(value) >= 10 ** (SHORTEST_NUMBER - 1):
            found[str(value)] = None
    elif isinstance(value, dict):
        for key, item in value.items():
            hidden = private or _is_private(str(key), about)
            if hidden or isinstance(item, _NESTED):  # most are neither
                _gather(item, str(key), private=hidden, found=found)
    elif isinstance(value, list | tuple):
        for item in value:
            _gather(item, about, private=private, found=found)


def excerpt(answer: Body, *, secrets: Iterable[str | None] = (), about: Any = None) -> str:
    """Return the beginning of an answer for an error message, without personal data and secrets.

    Args:
        answer: What came back.
        secrets: Further texts to take out, such as the connection's password.
        about: The request or body that the answer is about; its personal data are taken out too.

    Returns:
        One line of about 300 characters, or ``(empty)``.
    """
    whole = answer.text
    data = answer.data if len(whole) <= LOOKED_AT_CHARS else None
    if isinstance(data, dict | list):
        text = json.dumps(redact(data), ensure_ascii=False)
    else:
        text = redact_text(beginning(whole))
    line = " ".join(mask(text, [*secrets, *personal_values(about)]).split())
    return (line[:EXCERPT_CHARS] + "…" if len(line) > EXCERPT_CHARS else line) or "(empty)"


def beginning(text: str) -> str:
    """Return what an excerpt can be made of, without a word cut in two: half an IBAN looks like none.

    Args:
        text: Any text; up to 20,000 characters are left as they are.
    """
    if len(text) <= LOOKED_AT_CHARS:
        return text
    cut = text[:LOOKED_AT_CHARS]
    return cut[: max(cut.rfind(" "), EXCERPT_CHARS)]


def redact_text(text: str) -> str:
    """Mask personal data in a text that is no JSON: half an answer, a form, XML, a sentence.

    First what shows what it is: of a number in groups, a label before it would hide the first group only.
    """

    def pair(match: re.Match[str]) -> str:
        quote_mark, key, between, _ = match.groups()
        return f"{quote_mark}{key}{quote_mark}{between}{HIDDEN}" if _is_private(key) else match[0]

    def element(match: re.Match[str]) -> str:
        return f"<{match[1]}{match[2]}>{HIDDEN}<" if _is_private(match[1]) else match[0]

    return PAIR.sub(pair, ELEMENT.sub(element, VALUES.sub(HIDDEN, text)))


def outline(value: Any) -> Any:
    """Return only the shape of a JSON value: its keys, with every leaf replaced by ``…``.

    For a login's answer, in which any text may be the token.
    """
    if isinstance(value, Mapping):
        return {str(key): outline(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [outline(item) for item in value[:1]]
    return "…"


def endpoint_secrets(endpoint: Endpoint) -> list[str]:
    """Return all that a connection holds and nobody may see.

    Args:
        endpoint: The connection; of its options, those whose name sounds secret, and all values of
            ``secret_headers``, ``login_headers`` and ``extra_body``.
    """
    found = [endpoint.password or ""]
    for key, value in endpoint.options.items():
        if _is_private(key) or key in {"login_headers", "extra_body"}:
            found.extend(_texts(value))
    if endpoint.password:
        found.append(base64.b64encode(f"{endpoint.login or ''}:{endpoint.password}".encode()).decode())
    return [secret for secret in found if secret]


def secret_headers(headers: Mapping[str, str]) -> list[str]:
    """Return the values of those headers whose name sounds secret.

    Args:
        headers: Of a call; a flow may have written a key into one.
    """
    return [value for name, value in headers.items() if _is_private(name)]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str):
        yield value
