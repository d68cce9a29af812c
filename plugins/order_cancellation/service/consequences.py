"""What a person's redo or decision does, said before it is done.

The pages promise nothing else than what stands here; ``docs/ledger.md`` has the rules;
``ledger/decisions``, ``ledger/entries`` and ``steps/settle`` carry them out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from order_cancellation.flow.model import Flow, WriteBack, WriteToErp
from order_cancellation.ledger import Record, State
from order_cancellation.ledger.states import BOOKED

__all__ = ["Action", "Actions", "actions"]

_AS_THE_FLOW_SAYS = "what the flow says"
_NOTHING_TOLD = "Omnitron is told nothing: the flow says so."
_TWICE = ("the money moves twice", "the money may move twice")
"""Words that warn; each way of saying what a redo does has them where it can do that."""
_IN_THE_DARK = (State.IN_DOUBT, State.SENDING, State.ANSWERED)


@dataclass(frozen=True)
class Action:
    """Something that a person can do with a request.

    Args:
        allowed: Whether it can be done as the request stands.
        consequence: What it does; or why it can't be done.
        twice: Whether the money can move twice by it.
    """

    allowed: bool
    consequence: str
    twice: bool = False


@dataclass(frozen=True)
class Actions:
    """All that a person can do; what makes no sense as the request stands is None."""

    redo: Action
    accepted: Action | None
    refused: Action | None


def actions(
    record: Record,
    flow: Flow | None,
    sent: Mapping[str, Any] | None,
    *,
    booked: bool,
    may_be_held: bool,
    held: bool,
    paused: bool,
) -> Actions:
    """Say what a person can do with a request.

    Args:
        record: The request.
        flow: The flow as it is; None: it can't be read, so nothing that it declares protects.
        sent: What was sent last; None: it is not kept, or nothing was sent.
        booked: Whether the ERP has booked an earlier call of it.
        may_be_held: Whether the ERP may hold something of any call of it.
        held: Whether a worker is on it right now.
        paused: Whether its DAG is switched off.
    """
    case = _Case(record, flow, sent, booked, may_be_held, paused)
    accepted = refused = None
    if record.is_undecided:
        busy = Action(allowed=False, consequence="A worker is on it right now. Try again in a minute.")
        accepted = busy if held else Action(allowed=True, consequence=case.accepted())
        refused = busy if held else Action(allowed=True, consequence=case.refused())
    return Actions(_redo(case), accepted, refused)


def _redo(case: _Case) -> Action:
    record = case.record
    if record.state in BOOKED:
        words = "The ERP has booked it. The next run brings it to its end without sending it again."
        return Action(
            allowed=False, consequence=f"{words} Redo it when it is done, if it shall be booked twice."
        )
    if record.redo:
        return Action(allowed=False, consequence=f"It is set to be done again already, {case.when()}.")
    words = case.redo()
    return Action(allowed=True, consequence=words, twice=any(warning in words for warning in _TWICE))


@dataclass(frozen=True)
class _Case:
    """One request, with what its flow declares about it."""

    record: Record
    flow: Flow | None
    sent: Mapping[str, Any] | None
    booked: bool
    may_be_held: bool
    paused: bool

    def redo(self) -> str:
        """Say what the next runs do with a request that a person wants done again."""
        tell = {
            State.DONE: self._booked_twice,
            State.SENDING: self._found_out_first,
            State.ANSWERED: self._found_out_first,
            State.REFUSED: self._told_first,
            State.PARKED: self._parked,
            State.IN_DOUBT: self._in_doubt,
            State.POSTPONED: self._postponed,
            State.WITHDRAWN: self._withdrawn,
        }.get(self.record.state, self._unbooked)
        return f"{self._booked_earlier()}{tell()}"

    def _booked_earlier(self) -> str:
        if not self.booked:
            return ""
        return (
            "An earlier call is booked: unless that was undone, the money moves twice if it is booked again. "
        )

    def _booked_twice(self) -> str:
        return (
            f"The ERP has booked it already. It is booked once more {self.when()}, under a new key, so the "
            "ERP does not take it for the same: unless the first booking was undone, the money moves twice. "
            "If the ERP refuses it, Omnitron is told nothing of that."
        )

    def _found_out_first(self) -> str:
        now = {
            State.SENDING: "A worker may be sending it right now. The next run finds out what became of it.",
            State.ANSWERED: "The ERP has answered, and nobody has judged the answer. The next run does.",
        }[self.record.state]
        return (
            f"{now} If it is booked, this redo falls away; if not, the run after that does it again. If that "
            f"is in doubt then: {self._repeated()}"
        )

    def _told_first(self) -> str:
        told = "Omnitron is told nothing of that" if self.booked else f"The next run {self._tells_of_a_no()}"
        return f"{self._a_no()} {told}, and the run after that sends it again, under a new key."

    def _in_doubt(self) -> str:
        doubt = f"Nobody knows whether the ERP has booked {self._it()}."
        return f"{doubt} {self._read_and_sent()} {self._repeated()}"

    def _parked(self) -> str:
        record = self.record
        if record.parked_from in BOOKED:
            told = f"Omnitron is told once more {self.when()}{self._then_post_script()}."
            return f"The ERP has booked it, and it is not sent again. {told}"
        if record.doubt or record.parked_from in _IN_THE_DARK:
            return self._in_doubt()
        if record.parked_from == State.POSTPONED or (record.parked_from == State.FAILED and record.pending):
            return f"The ERP wanted it later. {self._read_and_sent()}{self._held()}"
        if self._had_by_another_flow():
            return (
                "Another flow has had it, whose folder is gone, and may have booked it. It is sent to the "
                f"ERP {self.when()}, under a key of this flow. Look into the ERP first: if it is booked "
                "there, the money moves twice."
            )
        if record.body_digest is not None:
            return (
                "What was sent before may be booked, and the call would be another one now. It is sent as it "
                f"is now {self.when()}, under a new key, so the ERP does not take it for the same. Look into "
                "the ERP first: if the first one is booked, the money moves twice."
            )
        return f"{self._a_no()} {self._read_and_sent()} All its tries begin anew."

    def _had_by_another_flow(self) -> bool:
        """Say whether it was parked at its entry: nothing else parks what is neither sent nor failed."""
        record = self.record
        unsent = record.parked_from in (State.FETCHED, State.PREPARED) and record.body_digest is None
        return unsent and not record.doubt

    def _postponed(self) -> str:
        return (
            "The ERP wants it later, and the next run sends it again without a redo, too. With it, its age "
            f"(max_age) begins anew.{self._unconfirmed() if self.record.doubt else self._held()}"
        )

    def _withdrawn(self) -> str:
        return (
            f"{self._taken_back()} It is read from Omnitron again {self.when()} and sent to the ERP all the "
            "same, whatever its status there is by then."
        )

    def _taken_back(self) -> str:
        gone = "Omnitron no longer lists it."
        if self.booked or not self.may_be_held:
            return gone if self.booked else "Omnitron took it back before anything was booked."
        if self.record.body_digest is not None:
            return f"{gone}{self._unconfirmed()}"
        return f"{gone} The ERP has not confirmed a booking: if it holds one, the money moves twice."

    def _unbooked(self) -> str:
        record = self.record
        if record.doubt:
            return f"An earlier call may be booked. {self._read_and_sent()} {self._repeated()}"
        if record.state == State.FAILED:
            return f"{self._a_no()} {self._read_and_sent()}"
        return (
            "Nothing of this attempt is with the ERP. The next run takes it up without a redo, too, as long "
            f"as Omnitron lists it; with it, also when it is no longer listed.{self._held()}"
        )

    def _read_and_sent(self) -> str:
        return (
            f"It is read from Omnitron again {self.when()} and sent to the ERP, by the flow as it is then. "
            "If Omnitron no longer has it, the redo falls away."
        )

    def _a_no(self) -> str:
        """Say what a no is worth: a response script may call a failure what the ERP took for done."""
        if not self.record.is_refused_success:
            return f"The ERP has not booked {self._it()}."
        cleared = (
            " To have the answer judged anew before anything is sent, clear the failed task instead."
            if self.record.state == State.FAILED
            else ""
        )
        return (
            f"The ERP answered {self.record.erp_status}, and the response script called that a failure: if "
            f"it is booked all the same, the money moves twice.{cleared}"
        )

    def _it(self) -> str:
        return "what came after it" if self.booked else "it"

    def _held(self) -> str:
        """Say what the ERP may hold of a request that is not in doubt: after a 2xx it was told to wait."""
        return self._unconfirmed() if self.record.pending else ""

    def _unconfirmed(self) -> str:
        return f" The ERP has not confirmed a booking, and may hold one. {self._repeated()}"

    def _repeated(self) -> str:
        """Say what another send under the same key can do, when the first one may be booked."""
        if self.flow is None:
            return (
                "The flow can't be read right now, so nothing is done until that is put right; and if the "
                "ERP has booked it before, the money may move twice."
            )
        changed = "If address, method or body are others by then, nothing is sent and it is parked."
        return f"{self._safeguard(self.flow.write_to_erp)} {changed}"

    def _safeguard(self, settings: WriteToErp) -> str:
        header, sent = settings.idempotency_header, self.sent or {"method": "", "headers": {}}
        if header is not None and sent["headers"].get(header) == self.record.key:
            return (
                f"The ERP gets the same key ({header}) as before: if it has booked it, it books nothing "
                "more, as far as it honours that key."
            )
        if settings.method == sent["method"] == "PUT":
            return "It is a PUT: if the ERP has booked it, the same is put in its place."
        twice = "if the ERP has booked it before, the money moves twice."
        if settings.duplicates_accepted:
            return f"The flow's owner has accepted duplicates: {twice}"
        if settings.look_up is not None and self.record.state == State.IN_DOUBT and self.record.hopeful:
            return (
                "Prefer to wait: the next run looks it up in the ERP by itself, and a redo does not. With a "
                f"redo, {twice}"
            )
        undecided = self.record.is_undecided
        look = (
            "Look into the ERP first, and rather say what you find." if undecided else "Look into it first."
        )
        return f"The ERP can't tell that it is the same. {look} With a redo, {twice}"

    def accepted(self) -> str:
        """Say what the decision "booked" does."""
        doubted = (
            "The ledger knows of no booking: say this only if you saw it in the ERP. "
            if self.record.parked_from in (State.FAILED, State.REFUSED) and not self.record.doubt
            else ""
        )
        booked = f"{doubted}The ERP has booked it: it is never sent again."
        write_back = self.flow.write_to_omnitron.on_success if self.flow else None
        if self.flow and write_back is None:
            post_script = f" The post script runs {self.when()}." if self.flow.post_script is not None else ""
            return f"{booked} {_NOTHING_TOLD}{post_script}"
        told = self._told(write_back) if write_back else _AS_THE_FLOW_SAYS
        return f"{booked} Omnitron is told {self.when()} ({told}){self._then_post_script()}."

    def refused(self) -> str:
        """Say what the decision "not booked" does."""
        contrary = (
            "The ERP said that it has booked it: say this only if that was undone there. "
            if self.record.parked_from in BOOKED
            else ""
        )
        if self.booked:
            contrary = (
                "The ERP has booked an earlier call: say this only if that was undone there, too, and else "
                "that it is booked. "
            )
        return (
            f"{contrary}The ERP has not booked it. {self._told_of_a_no()} "
            "It stays failed and is not sent, until somebody redoes it; then under a new key. If the ERP has "
            "it after all, that redo books it twice."
        )

    def _told_of_a_no(self) -> str:
        if self.flow is None:
            return f"Omnitron is told {self.when()} ({_AS_THE_FLOW_SAYS})."
        write_back = self.flow.write_to_omnitron.on_failure
        if write_back is None:
            return _NOTHING_TOLD
        return f"Omnitron is told {self.when()} ({self._told(write_back)})."

    def _tells_of_a_no(self) -> str:
        if self.flow is None:
            return f"tells Omnitron so ({_AS_THE_FLOW_SAYS})"
        write_back = self.flow.write_to_omnitron.on_failure
        if write_back is None:
            return "takes it to its end without a word to Omnitron"
        return f"tells Omnitron so ({self._told(write_back)})"

    def _then_post_script(self) -> str:
        return ", and the post script runs" if self.flow and self.flow.post_script is not None else ""

    @staticmethod
    def _told(write_back: WriteBack) -> str:
        if write_back.status is not None:
            return f"status {write_back.status}"
        if write_back.action is not None:
            return f"action {write_back.action}"
        if write_back.tag is not None:
            return f"tag {write_back.tag}"
        assert write_back.request is not None, "exactly one of them is there"
        return f"{write_back.request.method} {write_back.request.path}"

    def when(self) -> str:
        """Say when it is done: a flow without a schedule, or one that is paused, waits for somebody."""
        if self.flow is None:
            return "at the next run of a flow of this name (there is none that can be read right now)"
        by_hand = not self.flow.enabled or self.flow.schedule is None
        if self.paused:
            start = " and start it" if by_hand else ""
            return f"at the next run (its DAG is paused: somebody has to unpause it{start})"
        return "at the next run (somebody has to start it)" if by_hand else "at the next run"
