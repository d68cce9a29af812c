"""What must always hold, judged by the two systems' own books (the invariants of the design)."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from order_cancellation.http.traffic import FRESH_S, Traffic
from simulation.remote import CANARY, is_booking, is_look_up, sent

if TYPE_CHECKING:
    from order_cancellation.http.messages import Call
    from simulation.worker import Worker
    from simulation.world import World

__all__ = ["LINE", "Judge"]

LINE = ("acme", "erp_default")
"""The line to the ERP, which all batches share."""
SOON_S = 0.01
"""How long it takes from the last look to the first byte, where nothing goes wrong between."""

_TOLD_OF_SUCCESS = ("accepted", "written_back", "done")
_NOTHING_BOOKED = ("fetched", "prepared", "failed", "withdrawn")


class Judge(logging.Handler):
    """Watches everything that leaves the engine, and looks at the whole in quiet moments.

    Args:
        world: What it watches.
    """

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.violations: list[str] = []
        self.allowed: Counter[str] = Counter()
        self.owner_said: dict[str, set[str]] = {}
        self.person_said: dict[str, set[str]] = {}
        self._traffic = Traffic()
        self._open_since = 0.0

    def broken(self, what: str, uuid: str = "") -> None:
        """Note that something happened that must never happen."""
        line = f"{what} ({uuid})" if uuid else what
        self.world.tell(None, f"VIOLATION: {line}")
        self.violations.append(line)

    # allowances

    def owner_decides(self, uuid: str, decided: str) -> None:
        """The flow's own script decides what nobody knows, where the flow says so."""
        response = self.world.flow.custom_response
        if response is None or not response.decides_unknown:
            return
        self.owner_said.setdefault(uuid, set()).add(decided)
        if decided != "continue":
            self.allowed[uuid] += 1

    def a_person_says(self, uuid: str, said: str) -> None:
        """A person decides on a request."""
        self.person_said.setdefault(uuid, set()).add(said)
        if said == "redo" and self.world.erp.booked(uuid):
            self.allowed[uuid] += 1

    # moments

    def a_call_begins(self, worker: Worker, system: str, call: Call) -> None:
        """Nothing leaves while the breaker is open, whichever batch opened it; its probe does."""
        if system != "erp" or not (is_booking(call) or is_look_up(call)):
            return
        traffic = self.world.ledger.traffic.load(LINE).at(worker.now().timestamp())
        is_open = traffic.failures >= self.world.scenario.breaker_after
        is_probe = traffic.probe_owner.startswith(f"{worker.name}/")
        known_for = self.world.loop.time() - self._open_since
        if is_open and not is_probe and known_for > FRESH_S + SOON_S:
            self.broken(f"{worker.name} called while the breaker was open: {call.method} {call.url}")

    def traffic_changes(self, traffic: Traffic) -> None:
        """A batch has learnt something of the line to the ERP; what is old was forgotten before."""
        threshold = self.world.scenario.breaker_after
        was_open = self._traffic.at(traffic.changed_at).failures >= threshold
        self._traffic = traffic
        if traffic.failures >= threshold and not was_open:
            self.world.tell(None, "the breaker opens")
            self._open_since = self.world.loop.time()

    def bytes_leave(self, system: str, call: Call) -> None:
        """The intent must be on the disk before the first byte leaves."""
        if system != "erp" or not is_booking(call):
            return
        uuid = sent(call)["uuid"]
        state = self._state(uuid)
        if state != "sending":
            self.broken(f"it was sent while the ledger said {state}: no intent on the disk", uuid)

    def a_script_runs(self, step: str, attributes: dict[str, str]) -> None:
        """An answer is on the disk before it is judged; the post script runs after Omnitron was told."""
        uuid = attributes["request.uuid"]
        if step == "custom_response" and attributes["delivery.outcome"] == "answered":
            status = attributes["invokehttp.status.code"]
            if not self._was_saved(uuid, status):
                self.broken(f"an answer was judged that was not saved: {status}", uuid)
        if step == "post_script":
            wanted = self._success_word()
            if wanted is not None and (uuid, wanted) not in self.world.omnitron.writes:
                self.broken("the post script ran before Omnitron was told", uuid)

    def omnitron_is_told(self, uuid: str, told: str) -> None:
        """Omnitron hears of a success only after the ERP's yes, and of a failure after its no."""
        owner, person = self.owner_said.get(uuid, set()), self.person_said.get(uuid, set())
        if told == self._success_word():
            if uuid not in self.world.erp.said_yes and "continue" not in owner and "accepted" not in person:
                self.broken("Omnitron was told of a success, but the ERP never said yes", uuid)
            if not self._is_booked(uuid):
                self.broken(f"Omnitron was told of a success while it was {self._state(uuid)}", uuid)
        elif uuid not in self.world.erp.said_no and "failure" not in owner and "refused" not in person:
            self.broken("Omnitron was told of a failure, but the ERP never said no", uuid)

    def _is_booked(self, uuid: str) -> bool:
        """Say whether the ledger knows the booking: parked because Omnitron would not be told, it stands.

        A worker that stood still and wakes may then tell once more what others could not.
        """
        stands = self._state(uuid)
        return (self._column(uuid, "parked_from") if stands == "parked" else stands) in _TOLD_OF_SUCCESS

    def _success_word(self) -> str | None:
        success = self.world.flow.write_to_omnitron.on_success
        return None if success is None else str(success.status or success.tag)

    # everything for people

    def emit(self, record: logging.LogRecord) -> None:
        """Look at each line of the log."""
        self.for_people(record.getMessage())

    def for_people(self, line: str) -> None:
        """No secret and no personal data in anything that people read."""
        if CANARY in line.lower() or "TR3300061005" in line:
            self.broken(f"a secret or personal data in: {line[:200]}")

    # the whole

    def look_at_books(self) -> None:
        """Check what must hold at any moment."""
        rows = self.rows()
        for uuid in self.world.erp.natures:
            booked = self.world.erp.booked(uuid)
            if booked > 1 + self.allowed[uuid] and not self.world.flow.write_to_erp.duplicates_accepted:
                self.broken(f"booked {booked} times", uuid)
            if uuid in rows:
                self._look_at_row(uuid, rows[uuid], booked)

    def _look_at_row(self, uuid: str, row: Any, booked: int) -> None:
        self.for_people(row.error)
        decided = self.owner_said.get(uuid)
        if row.state == "done" and booked == 0 and not decided:
            self.broken("done, but the ERP has not booked it", uuid)
        if row.state == "done" and booked != 1 and not decided and not self._may_be_twice(uuid):
            self.broken(f"done, and booked {booked} times", uuid)
        if uuid in self.world.erp.held_pending:
            return  # the ERP keeps it under its key, its script said do_nothing: eligible again, or withdrawn
        if row.state in _NOTHING_BOOKED and booked and not decided and not self._may_be_twice(uuid):
            self.broken(f"{row.state}, but the ERP has booked it", uuid)

    def _may_be_twice(self, uuid: str) -> bool:
        return self.allowed[uuid] > 0 or self.world.flow.write_to_erp.duplicates_accepted

    def look_at_end(self) -> None:
        """Faults have been off for long: everything must have ended."""
        for uuid, what in self.open_ends():
            self.broken(what, uuid)

    def open_ends(self) -> list[tuple[str, str]]:
        """Return what has not ended: uuids, and how each stands."""
        rows, found = self.rows(), []
        for request in self.world.omnitron.requests.values():
            uuid, row = request["uuid"], rows.get(request["uuid"])
            if row is None:
                if request["status"] == "approved":
                    found.append((uuid, "the ledger never heard of it"))
            elif not self._has_ended(request, row):
                found.append((uuid, f"never ended: {row.state} at {row.step or 'no step'}: {row.error}"))
        return found

    def _has_ended(self, request: dict[str, Any], row: Any) -> bool:
        match row.state:
            case "done":
                return True
            case "failed":
                return bool(row.settled) or request["status"] == "rejected" or self._stands(request, row)
            case "withdrawn":
                return request["status"] != "approved"
            case "parked":
                # somebody changed its status by hand, so Omnitron will never take ours
                return row.parked_from in ("accepted", "refused") and request["status"] != "approved"
        return False

    def _stands(self, request: dict[str, Any], row: Any) -> bool:
        """Say whether only a redo was refused: Omnitron goes on to say what the first booking brought."""
        told = request["status"] == "completed"
        return told and row.relation == "failure" and self.world.erp.booked(request["uuid"]) > 0

    def look_at_notes(self) -> None:
        """No personal data in the history, either."""
        with self.world.ledger.database.read() as connection:
            for (note,) in connection.execute(text("SELECT note FROM events")):
                self.for_people(note)

    def rows(self) -> dict[str, Any]:
        """Return what the ledger says, by uuid."""
        with self.world.ledger.database.read() as connection:
            return {row.uuid: row for row in connection.execute(_ALL)}

    def _was_saved(self, uuid: str, status: str) -> bool:
        with self.world.ledger.database.read() as connection:
            return (
                connection.execute(_SAVED, {"uuid": uuid, "note": f"the ERP answered {status}"}).first()
                is not None
            )

    def _state(self, uuid: str) -> str:
        return str(self._column(uuid, "state"))

    def _column(self, uuid: str, name: str) -> Any:
        with self.world.ledger.database.read() as connection:
            row = connection.execute(_ONE, {"uuid": uuid}).one_or_none()
        return None if row is None else getattr(row, name)


_ALL = text("SELECT * FROM requests")
_SAVED = text("SELECT 1 FROM events WHERE uuid = :uuid AND state = 'answered' AND note = :note")
_ONE = text("SELECT state, erp_status, parked_from FROM requests WHERE uuid = :uuid")
