"""What a step is given to work with: the flow, and ports to everything outside."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from order_cancellation.clock import Clock
from order_cancellation.erp import Erp
from order_cancellation.errors import ConfigurationError
from order_cancellation.flow.model import Flow, ScriptSettings
from order_cancellation.flow.store import LoadedFlow
from order_cancellation.ledger import Ledger
from order_cancellation.omnitron import Omnitron, OmnitronReader

__all__ = ["Context", "Outcome", "Pool", "Scripts"]


class Outcome(Protocol):
    """What a run of a user's script left (see ``order_cancellation.scripts``)."""

    @property
    def result_data(self) -> str | None:
        """What was written, or None where nothing was."""

    @property
    def attributes(self) -> Mapping[str, str]:
        """All attributes there are after the run."""

    @property
    def printed(self) -> str:
        """What was printed."""

    @property
    def error(self) -> str | None:
        """Why the script failed, or None."""

    @property
    def log_lines(self) -> tuple[tuple[str, str], ...]:
        """What was said to ``log``: level and text."""


class Pool(Protocol):
    """A user's script, ready to run for one request after the other."""

    async def run(self, input_text: str, attributes: dict[str, str]) -> Outcome:
        """Run the script; never raises for what the script is or does."""
        ...


Scripts = Callable[[ScriptSettings, str, str], AbstractAsyncContextManager[Pool]]
"""Opens a pool for a script: its settings, its source, and the step's name."""


@dataclass(frozen=True)
class Context:
    """Everything that a step may touch.

    Args:
        loaded: The flow, in the revision that this batch is pinned to.
        run_id: Airflow's name of the run.
        ledger: The truth about each request.
        clock: The time.
        random: Chance, for jitter.
        worker: A name unique to this execution.
        scripts: Runs the user's scripts.
        cleared: Whether a person cleared the task: what was refused is sent again.
        former_flows: Flows of the ledger whose folders are gone: this one may be one of them, renamed.
        erp_url: The ERP's address, for a dry run, which has no other way to it.
        erp: The ERP, for the steps that talk to it.
        omnitron: Omnitron, for the steps that talk to it.
        point: Called with the name of each point between intent, effect and result; tests crash there.
        log: Where lines for people go. No personal data, no secret.
    """

    loaded: LoadedFlow
    run_id: str
    ledger: Ledger
    clock: Clock
    random: Random
    worker: str
    scripts: Scripts | None = None
    cleared: bool = False
    former_flows: tuple[str, ...] = ()
    erp_url: str = ""
    erp: Erp | None = None
    omnitron: OmnitronReader | None = None
    point: Callable[[str], None] = lambda _name: None
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("order_cancellation"))

    @property
    def flow(self) -> Flow:
        """The flow's model."""
        return self.loaded.flow

    def the_erp(self) -> Erp:
        """Return the ERP.

        Raises:
            ConfigurationError: This step was given none.
        """
        if self.erp is None:
            raise ConfigurationError(f"Flow '{self.flow.id}': this step has no way to the ERP.")
        return self.erp

    def the_omnitron(self) -> OmnitronReader:
        """Return Omnitron, for reading.

        Raises:
            ConfigurationError: This step was given none.
        """
        if self.omnitron is None:
            raise ConfigurationError(f"Flow '{self.flow.id}': this step has no way to Omnitron.")
        return self.omnitron

    def omnitron_to_tell(self) -> Omnitron:
        """Return Omnitron, for writing.

        Raises:
            ConfigurationError: This step was given no way to write, as in a dry run.
        """
        if not isinstance(self.omnitron, Omnitron):
            raise ConfigurationError(f"Flow '{self.flow.id}': this step has no way to write to Omnitron.")
        return self.omnitron

    def open_script(self, settings: ScriptSettings, step: str) -> AbstractAsyncContextManager[Pool]:
        """Open the pool for one of the flow's scripts.

        Raises:
            ConfigurationError: This step was given no way to run scripts.
        """
        if self.scripts is None:
            raise ConfigurationError(f"Flow '{self.flow.id}', {step}: this step has no way to run scripts.")
        return self.scripts(settings, self.loaded.text(settings.file), step)
