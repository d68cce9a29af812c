"""The truth about every request: tables, state machine, claims, and what people ask of them.

:class:`Ledger` bundles the parts; nothing outside this package writes SQL.
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

from order_cancellation.clock import Clock
from order_cancellation.ledger.cipher import Cipher
from order_cancellation.ledger.database import Database
from order_cancellation.ledger.decisions import Limits, is_booked_earlier
from order_cancellation.ledger.dry import DryResults
from order_cancellation.ledger.history import History, Save
from order_cancellation.ledger.housekeeping import Housekeeping
from order_cancellation.ledger.intake import Intake
from order_cancellation.ledger.keys import Keys, Need
from order_cancellation.ledger.opening import identity_of, open_database
from order_cancellation.ledger.queries import Queries
from order_cancellation.ledger.records import Change, Record
from order_cancellation.ledger.runs import Batch, RunRow, Runs
from order_cancellation.ledger.search import Search
from order_cancellation.ledger.states import State
from order_cancellation.ledger.tokens import LedgerTokens
from order_cancellation.ledger.traffic import LedgerTraffic
from order_cancellation.ledger.work import Claim, Work

__all__ = [
    "Batch",
    "Change",
    "Claim",
    "Ledger",
    "Limits",
    "Need",
    "Record",
    "RunRow",
    "Save",
    "State",
    "is_booked_earlier",
]


class Ledger:
    """One open ledger.

    Args:
        url: The SQLAlchemy URL of its database (setting ``ledger_url``).
        keys: The Fernet keys for payloads, newest first (setting ``payload_key``).
        clock: Whose time counts for leases and history.

    Raises:
        ConfigurationError: The URL or a key is not usable.
        LedgerUnavailable: The database can't be reached or migrated.
    """

    def __init__(self, url: str, keys: tuple[str, ...], clock: Clock) -> None:
        cipher = Cipher(keys)
        self.database = Database(open_database(url))
        self._identity = identity_of(self.database.engine)
        self.runs = Runs(self.database, cipher, clock)
        self.history = History(self.database, clock)
        self.intake = Intake(self.database, cipher, clock)
        self.work = Work(self.database, cipher, clock)
        self.tokens = LedgerTokens(self.database, cipher, clock)
        self.traffic = LedgerTraffic(self.database, clock)
        self.queries = Queries(self.database, cipher, clock)
        self.search = Search(self.database)
        self.housekeeping = Housekeeping(self.database, clock)
        self.keys = Keys(self.database, cipher)
        self.dry = DryResults(self.database, cipher)

    def __enter__(self) -> Self:
        """Nothing more is opened than at first."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def is_replaced(self) -> bool:
        """Say whether the ledger's file is no longer the one that was opened: deleted, or another."""
        return identity_of(self.database.engine) != self._identity

    def close(self) -> None:
        """Let go of the database."""
        self.database.engine.dispose()
