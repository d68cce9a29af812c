"""What a step says of its work: counts and ids, never payloads."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Behind:
    """One request that is not past a step.

    Args:
        id: Omnitron's number of the request.
        uuid: Its identity.
        state: Its state in the ledger.
        step: The step that it waits or failed at.
        error: Why, in one line without personal data.
        hopeful: Whether running the step again may help without anybody's doing.
    """

    id: int | None
    uuid: str
    state: str
    step: str
    error: str
    hopeful: bool = False

    def __str__(self) -> str:
        """Return the line that people read below one that names the flow."""
        return f"Request {self._story()}"

    def in_flow(self, flow_id: str) -> str:
        """Return the line that people read where nothing around it names the flow."""
        return f"Flow '{flow_id}', request {self._story()}"

    def _story(self) -> str:
        state = self.state.replace("_", " ")
        return f"{self.id}: {state} at {self.step}: {self.error.removeprefix(f'{state}: ')}"


@dataclass(frozen=True)
class StepReport:
    """The outcome of one step over one batch.

    Args:
        step: The document's step name.
        batch: The batch's number.
        taken: How many requests the step worked on.
        passed: How many of the batch are past the step now.
        behind: Those that are not.
    """

    step: str
    batch: int
    taken: int
    passed: int
    behind: tuple[Behind, ...] = ()

    @property
    def green(self) -> bool:
        """Whether every request of the batch is past the step."""
        return not self.behind

    @property
    def hopeful(self) -> bool:
        """Whether running the step again, with nothing changed, may help some request."""
        return any(one.hopeful for one in self.behind)

    def sentence(self) -> str:
        """Return the line that closes a step's log."""
        count = self.passed + len(self.behind)
        requests = "1 request" if count == 1 else f"{count} requests"
        if self.green:
            return f"{self.step}: {requests} past this step, {self.taken} of them worked on just now"
        return f"{self.step}: {len(self.behind)} of {requests} not past this step"

    def summary(self) -> dict[str, int | str]:
        """Return what may stand in XCom and logs."""
        return {
            "step": self.step,
            "batch": self.batch,
            "taken": self.taken,
            "passed": self.passed,
            "behind": len(self.behind),
        }


@dataclass(frozen=True)
class RunReport:
    """The outcome of one run of a flow.

    Args:
        counts: How many of the requests that this run took up are in which state.
        waiting: How many requests of earlier runs wait for a person, by state.
        behind: Those of this run that are not through, with the reason.
        problems: What went wrong with the run itself (an unreadable list, an entry without uuid).
        lines: What the reading of Omnitron's list found, as lines for people.
    """

    counts: dict[str, int]
    waiting: dict[str, int]
    behind: tuple[Behind, ...] = ()
    problems: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()

    @property
    def green(self) -> bool:
        """Whether everything that this run took up is through or postponed."""
        return not self.behind and not self.problems
