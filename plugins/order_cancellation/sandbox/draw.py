"""Draws believable Turkish shop data, the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import UUID

T = TypeVar("T")

FIRST_NAMES = (
    "Ayşe", "Çağrı", "Gülşah", "İbrahim", "Oğuzhan", "Şükrü", "Ümit", "Zeynep",
    "Işıl", "Özgür", "Nazlı", "Tuğba", "Mehmet", "Elif", "Çiğdem", "Hüseyin",
)  # fmt: skip
LAST_NAMES = (
    "Yılmaz", "Öztürk", "Şahin", "Çelik", "Aydın", "Kılıç", "Güneş", "Işık",
    "Doğan", "Türkoğlu", "Ağaoğlu", "İnce", "Ünal", "Karagöz", "Çakır", "Şimşek",
)  # fmt: skip
CITIES = ("İstanbul", "Ankara", "İzmir", "Eskişehir", "Muğla", "Şanlıurfa", "Iğdır", "Çanakkale")
COLOURS = ("Siyah", "Beyaz", "Kırmızı", "Lacivert", "Yeşil", "Gümüş", "Açık Mavi", "Bej")
GARMENTS = ("Çorap", "Gömlek", "Şapka", "Tişört", "Ayakkabı", "İç Çamaşırı", "Kazak", "Eşofman Altı")
SIZES = ("XS", "S", "M", "L", "XL")
ASCII = str.maketrans("çğıöşüÇĞİÖŞÜIâ", "cgiosuCGIOSUIa")
FIRST_MOMENT = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
STEP = timedelta(minutes=7)


class Draw:
    """A source of values for one cancellation request.

    Args:
        seed: Decides every value; the same seed draws the same values.
        moment: The time around which all dates lie.
    """

    def __init__(self, seed: str, moment: datetime) -> None:
        self._random = random.Random(seed)  # noqa: S311  made-up data, nothing secret
        self.moment = moment

    def number(self, low: int, high: int) -> int:
        """Return a whole number from ``low`` to ``high``, both included."""
        return self._random.randint(low, high)

    def pick(self, values: Sequence[T]) -> T:
        """Return one of the values."""
        return self._random.choice(values)

    def maybe(self, value: T) -> T | None:
        """Return the value, or None half of the times."""
        return value if self._random.random() < 0.5 else None  # noqa: PLR2004  a coin

    def flag(self) -> bool:
        """Return True or False."""
        return self._random.random() < 0.5  # noqa: PLR2004  a coin

    def digits(self, count: int) -> str:
        """Return a text of digits that does not start with a nought."""
        return str(self._random.randint(10 ** (count - 1), 10**count - 1))

    def money(self, low: int, high: int) -> str:
        """Return an amount with two decimals, its bounds in whole units."""
        cents = self._random.randint(low * 100, high * 100)
        return f"{cents // 100}.{cents % 100:02d}"

    def uuid(self) -> str:
        """Return a UUID of version 4."""
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def moment_before(self, days: int) -> str:
        """Return a time up to so many days before the request's own moment."""
        return stamp(self.moment - timedelta(microseconds=self._random.randint(1, days * 86_400_000_000)))

    def phone(self) -> str:
        """Return a Turkish mobile number."""
        return f"+905{self._random.randint(300000000, 599999999)}"

    def iban(self) -> str:
        """Return a Turkish IBAN whose check digits are right."""
        account = f"{self._random.randint(1, 99999):05d}0{self._random.randint(0, 10**16 - 1):016d}"
        return f"TR{98 - int(account + '292700') % 97:02d}{account}"


def stamp(moment: datetime) -> str:
    """Return a time as Omnitron writes it: ISO 8601, UTC, microseconds, ``Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment_of(number: int) -> datetime:
    """Return when the cancellation request with this number was made; later numbers are later."""
    return FIRST_MOMENT + STEP * number
