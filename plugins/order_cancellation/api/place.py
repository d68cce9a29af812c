"""What the routes work on: the settings, the flows folder and the ledger of this API server."""

from __future__ import annotations

from threading import Lock

from order_cancellation.airflow_settings import read_settings
from order_cancellation.flow.store import FlowStore
from order_cancellation.ledger import Ledger
from order_cancellation.service.catalogue import Catalogue
from order_cancellation.service.requests import open_ledger
from order_cancellation.service.saving import Workshop, workshop_of
from order_cancellation.service.settings import Settings

__all__ = ["CATALOGUE", "close_ledger", "the_ledger", "the_settings", "the_store", "the_workshop"]

CATALOGUE = Catalogue()

_one_at_a_time = Lock()
_opened: dict[Settings, Ledger] = {}
"""The one ledger that is open, by the settings that it was opened with."""


def the_settings() -> Settings:
    """Return the settings in force.

    Raises:
        ConfigurationError: One of them is not usable.
    """
    return read_settings()


def the_store() -> FlowStore:
    """Return the flows folder."""
    return FlowStore(the_settings().flows_folder)


def the_workshop() -> Workshop:
    """Return where flows are changed."""
    return workshop_of(the_settings(), the_ledger())


def the_ledger() -> Ledger:
    """Return the ledger; it is opened at the first call, and stays open in this process.

    Raises:
        ConfigurationError: A setting is not usable.
        LedgerUnavailable: The database can't be reached.
    """
    with _one_at_a_time:
        settings = the_settings()
        ledger = _opened.get(settings)
        # one that was replaced is a file that nobody else sees any more
        if ledger is None or ledger.is_replaced():
            _close()
            ledger = _opened[settings] = open_ledger(settings)
        return ledger


def close_ledger() -> None:
    """Close the ledger, if one is open; the next call of ``the_ledger`` opens it again."""
    with _one_at_a_time:
        _close()


def _close() -> None:
    while _opened:
        _opened.popitem()[1].close()
