"""Omnitron and the ERP in memory, each with its own book, and the wire between them and a worker.

They are the judges: what they have booked and been told is what counts, whatever the ledger says.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from order_cancellation.errors import InDoubt, NotSent
from order_cancellation.http.messages import Answer, Call

if TYPE_CHECKING:
    from simulation.scenario import Nature
    from simulation.worker import Worker
    from simulation.world import World

__all__ = [
    "CANARY",
    "PASSWORD",
    "ErpServer",
    "OmnitronServer",
    "Reply",
    "Wire",
    "is_booking",
    "is_look_up",
    "sent",
]

CANARY = "canary"
PASSWORD = "canary-password"


@dataclass
class Reply:
    """What comes back.

    Args:
        status: The status, or None where the connection is cut.
        data: The body: JSON, or a text.
        headers: The headers.
        after_s: How long the answer takes; infinite: it never comes.
    """

    status: int | None
    data: Any = ""
    headers: dict[str, str] = field(default_factory=dict)
    after_s: float = 0.01

    @property
    def body(self) -> bytes:
        return self.data.encode() if isinstance(self.data, str) else json.dumps(self.data).encode()


CUT = Reply(None)
NEVER = Reply(None, after_s=float("inf"))
HTML = "<html><title>Gateway</title>page</html>"
PROVE_NOTHING = (500, 302, 504)
"""A redirect leads to the page of what was booked, or to a sign-in."""


class Wire:
    """A worker's transport to one of the systems.

    Args:
        worker: Whose.
        server: The other side.
    """

    def __init__(self, worker: Worker, server: Server) -> None:
        self._worker = worker
        self._server = server

    async def send(self, call: Call, *, before_write: Callable[[], None] | None = None) -> Answer:
        worker, server, world = self._worker, self._server, self._worker.world
        world.judge.a_call_begins(worker, server.name, call)
        worker.fate(f"connecting to {server.name}", 4.0 if server.name == "erp" else 1.0)
        slow = world.faults.strikes("erp_slow_connect") and server.name == "erp"
        wait = world.random.uniform(1.0, 12.0) if slow else world.random.uniform(0.0, 0.02)
        await worker.pause(min(wait, call.timeout_s))
        if wait >= call.timeout_s or server.refuses(call):
            raise NotSent(f"{call.method} {server.name} was not sent (no connection)")
        if before_write is not None:
            before_write()
        world.judge.bytes_leave(server.name, call)
        came: asyncio.Future[Reply] = world.loop.create_future()
        server.receive(worker, call, came)
        # dies or freezes with its bytes under way
        worker.fate(f"sent to {server.name}", 4.0 if server.name == "erp" else 1.0)
        try:
            async with asyncio.timeout(call.timeout_s):
                reply = await came
        except TimeoutError:
            reply = CUT
        await worker.pause(0.0)
        if reply.status is None:
            raise InDoubt(f"{call.method} {server.name} was sent, but no whole answer came back (cut)")
        return Answer(reply.status, "", reply.headers, reply.body, call.url)


class Server:
    """What both systems share: receiving, tokens."""

    name = ""

    def __init__(self, world: World) -> None:
        self.world = world
        self.tokens: set[str] = set()
        self._issued = 0

    def refuses(self, call: Call) -> bool:
        return False

    def receive(self, worker: Worker, call: Call, came: asyncio.Future[Reply]) -> None:
        """Take a call's bytes; what they lead to happens whether or not the caller lives."""
        loop, random = self.world.loop, self.world.random
        path = urlsplit(call.url).path
        self.world.tell(worker, f"-> {self.name} {call.method} {path}")

        def treat() -> None:
            reply = self.treat(call, path)
            self.world.tell(
                worker, f"<- {self.name} {call.method} {path} {reply.status} in {reply.after_s:.2f}s"
            )
            if reply.after_s != float("inf"):
                loop.call_later(reply.after_s, lambda: came.done() or came.set_result(reply))

        loop.call_later(random.uniform(0.001, 0.05), treat)

    def treat(self, call: Call, path: str) -> Reply:
        raise NotImplementedError

    def issue(self) -> str:
        """Give out a token; jwt-like, so that its end can be read."""
        self._issued += 1
        now = self.world.loop.time()
        text = json.dumps({"iat": now, "exp": now + 900, "n": self._issued, "canary": CANARY})
        middle = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
        token = f"canarytoken.{middle}.{self._issued}"
        self.tokens.add(token)
        return token

    def accepts(self, call: Call) -> bool:
        _, _, token = call.headers.get("Authorization", "").partition(" ")
        return token in self.tokens

    def strikes(self, fault: str) -> bool:
        return self.world.faults.strikes(fault)

    def soon(self) -> float:
        return self.world.random.uniform(0.001, 0.2)


@dataclass
class Booking:
    """An entry of the ERP's book."""

    uuid: str
    key: str
    at: float
    body: Any


class ErpServer(Server):
    """The ERP with its book."""

    name = "erp"

    def __init__(self, world: World, natures: dict[str, Nature]) -> None:
        super().__init__(world)
        self.natures = natures
        self.book: list[Booking] = []
        self.under_key: dict[str, Any] = {}
        self.said_yes: set[str] = set()
        self.said_no: set[str] = set()
        self.held_pending: set[str] = set()
        self.asked: set[str] = set()
        self.away_until = 0.0

    def booked(self, uuid: str) -> int:
        return sum(one.uuid == uuid for one in self.book)

    def refuses(self, call: Call) -> bool:
        now = self.world.loop.time()
        if self.strikes("erp_away"):
            self.away_until = now + self.world.random.uniform(5.0, 90.0)
            self.world.tell(None, f"the ERP is away until {self.away_until:.1f}")
        if now < self.away_until and self.world.faults.on:
            return self.world.random.random() < 0.5
        return self.strikes("erp_refused")

    def treat(self, call: Call, path: str) -> Reply:
        if self.world.loop.time() < self.away_until and self.world.faults.on:
            return CUT
        return self._treat(call, path)

    def _treat(self, call: Call, path: str) -> Reply:
        if path.endswith("/login"):
            if self.strikes("erp_login"):
                return self.world.random.choice([CUT, Reply(503, HTML), Reply(400, {"error": "try later"})])
            token = self.issue()
            if self.world.scenario.erp_login == "oauth2":
                return Reply(200, {"access_token": token, "expires_in": 900})
            return Reply(200, {"token": token})
        if self.strikes("erp_expires"):
            self.tokens.clear()
        if self.world.scenario.erp_login != "none" and not self.accepts(call):
            return Reply(401, {"error": "session"})
        if "/look_up/" in path:
            return self._look_up(path.rpartition("/")[2])
        return self._book(call)

    def _look_up(self, uuid: str) -> Reply:
        if self.strikes("look_up_fails"):
            choices = [CUT, NEVER, Reply(500, HTML), Reply(200, HTML), Reply(429, "", {"retry-after": "2"})]
            return self.world.random.choice(choices)
        found = self.booked(uuid) > 0
        if found:
            self.said_yes.add(uuid)
        return Reply(200, {"found": True}) if found else Reply(404, {"found": False})

    def _book(self, call: Call) -> Reply:
        data = sent(call)
        uuid = data["uuid"]
        key = call.headers.get("Idempotency-Key", "")
        if self.strikes("erp_429"):
            headers = self.world.random.choice([{}, {"retry-after": "1"}, {"retry-after": "600"}])
            return Reply(429, {"error": "slow down"}, headers)
        if self.strikes("erp_503_later"):
            return Reply(503, "", {"retry-after": self.world.random.choice(["0", "3", "900"])})
        if key and key in self.under_key:
            if self.under_key[key] != call.body:
                self.world.judge.broken("another body under the same idempotency key", uuid)
            return self._repeated(uuid)
        if self.world.scenario.detects_duplicates and self.booked(uuid) and call.method != "PUT":
            self.said_no.add(uuid)
            return Reply(409, {"error": "duplicate"})
        return self._by_nature(uuid, key, call)

    def _repeated(self, uuid: str) -> Reply:
        nature = self.natures[uuid]
        if nature.pending > 0:
            nature.pending -= 1
            return Reply(200, {"status": "PENDING"})
        return self._disturbed(uuid, lambda: None)

    def _by_nature(self, uuid: str, key: str, call: Call) -> Reply:
        nature = self.natures[uuid]
        if nature.refused and self.world.faults.on:
            nature.refused -= 1
            self.said_no.add(uuid)
            return Reply(422, {"error": f"refused for {CANARY}.person@example.com"}, after_s=self.soon())
        if nature.pending > 0:
            nature.pending -= 1
            if nature.pending_books:
                self.held_pending.add(uuid)
                self._enter(uuid, key, call)
            return Reply(202, {"status": "PENDING"}, after_s=self.soon())
        return self._disturbed(uuid, lambda: self._enter(uuid, key, call))

    def _disturbed(self, uuid: str, book: Callable[[], None]) -> Reply:  # noqa: PLR0911 -- a table of what goes wrong, row by row
        """Book and say so, unless something goes wrong on the way."""
        random, loop = self.world.random, self.world.loop
        first, self.asked = uuid not in self.asked, self.asked | {uuid}
        if self.strikes("erp_timeout_unbooked"):
            return NEVER
        if self.strikes("erp_cut_unbooked"):
            return CUT
        if self.strikes("erp_5xx_unbooked"):
            return Reply(random.choice(PROVE_NOTHING), HTML, {"location": "/shown"})
        if first and self.strikes("erp_junk_refused"):
            self.said_no.add(uuid)
            return Reply(404, HTML)
        if self.strikes("erp_booked_late"):
            loop.call_later(random.uniform(0.0, self.world.scenario.settle_s), book)
            return random.choice([NEVER, CUT, Reply(504, HTML)])
        book()
        if self.strikes("erp_timeout_booked"):
            return NEVER
        if self.strikes("erp_cut_booked"):
            return CUT
        if self.strikes("erp_5xx_booked"):
            return Reply(random.choice(PROVE_NOTHING), HTML, {"location": "/shown"})
        self.said_yes.add(uuid)
        if self.strikes("erp_junk_booked"):
            return Reply(200, HTML)
        slow = self.strikes("erp_slow")
        return Reply(201, {"status": "OK"}, after_s=random.uniform(1.0, 4.5) if slow else self.soon())

    def _enter(self, uuid: str, key: str, call: Call) -> None:
        """Book, unless the key or the method says that it is booked already."""
        if key:
            if key in self.under_key:
                return
            self.under_key[key] = call.body
        if self.booked(uuid) and (call.method == "PUT" or self.world.scenario.detects_duplicates):
            return  # a PUT of the same is the same, and some ERPs look for themselves
        self.world.tell(None, f"ERP books {uuid} key={key}")
        self.book.append(Booking(uuid, key, self.world.loop.time(), sent(call)))


def is_booking(call: Call) -> bool:
    """Say whether a call to the ERP asks it to book."""
    return "/cancellations" in call.url


def is_look_up(call: Call) -> bool:
    """Say whether a call to the ERP asks whether it has booked."""
    return "/look_up/" in call.url


def sent(call: Call) -> dict[str, Any]:
    if call.method == "GET":
        return dict(parse_qsl(urlsplit(call.url).query))
    return json.loads(call.body or b"{}")


class OmnitronServer(Server):
    """Omnitron with its requests, and what it was told."""

    name = "omnitron"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.requests: dict[int, dict[str, Any]] = {}
        self.tags: dict[int, set[str]] = {}
        self.writes: list[tuple[str, str]] = []
        self._stamp = 0

    def arrive(self, number: int, uuid: str) -> None:
        """A customer asks for a cancellation."""
        self.requests[number] = {
            "id": number,
            "uuid": uuid,
            "status": "approved",
            "cancellation_type": "refund",
            "modified_date": self._now(),
            "channel": {"pk": 2},
            "order_item": {
                "price": f"{number}0.00",
                "order": {"number": f"N{number}"},
                "product": {"sku": "S"},
            },
            "customer": {"email": f"{CANARY}.person@example.com", "first_name": f"{CANARY}firstname"},
            "iban": "TR330006100519786457841326",
            "holder_name": f"{CANARY} holder",
        }
        self.tags[number] = set()

    def _now(self) -> str:
        self._stamp += 1
        return f"2026-03-01T{self._stamp // 3600:02}:{self._stamp // 60 % 60:02}:{self._stamp % 60:02}Z"

    def listed(self) -> list[dict[str, Any]]:
        found = [one for one in self.requests.values() if one["status"] == "approved"]
        return sorted(found, key=lambda one: (one["modified_date"], one["id"]))

    def treat(self, call: Call, path: str) -> Reply:
        if path.endswith("/auth/login/"):
            return Reply(200, {"key": self.issue()})
        if self.strikes("omnitron_expires"):
            self.tokens.clear()
        if not self.accepts(call):
            return Reply(401, {"detail": "Invalid token."})
        if self.strikes("status_changes"):
            self._change_behind()
        parts = path.strip("/").split("/")
        if call.method != "GET":
            return self._write(call, parts)
        if parts[-2:] == ["cancellation_requests", "detailed"]:
            return self._list(call)
        if parts[-1] == "get_tags":
            return Reply(200, sorted(self.tags[int(parts[-2])]))
        return self._one(int(parts[-2]))

    def _change_behind(self) -> None:
        """Somebody in Omnitron rejects a request that is still open."""
        one = self.world.random.choice(sorted(self.requests))
        if self.requests[one]["status"] == "approved":
            self._set(one, "rejected")
            self.world.tell(None, f"Omnitron: somebody rejects {one}")

    def _set(self, number: int, status: str) -> None:
        self.requests[number] |= {"status": status, "modified_date": self._now()}

    def _one(self, number: int) -> Reply:
        if self.strikes("list_5xx"):
            return Reply(500, HTML)
        return Reply(200, self.requests[number]) if number in self.requests else Reply(404, {})

    def _list(self, call: Call) -> Reply:
        for fault, reply in (
            ("list_5xx", Reply(502, HTML)),
            ("list_junk", Reply(200, HTML)),
            ("list_cut", CUT),
        ):
            if self.strikes(fault):
                return reply
        if self.strikes("list_429"):
            return Reply(
                429, "", self.world.random.choice([{}, {"retry-after": "2"}, {"retry-after": "120"}])
            )
        query = parse_qs(urlsplit(call.url).query)
        page, size = int(query["page"][0]), min(int(query["limit"][0]), self.world.scenario.page_cap)
        if page > 1 and self.strikes("page_repeated"):
            page -= 1
        found = self.listed()
        if page > 1 and found and self.strikes("page_drifts"):
            # somebody touches the oldest: it moves to the end, and all others move up
            self.requests[found[0]["id"]]["modified_date"] = self._now()
            found = self.listed()
        shown = found[(page - 1) * size : page * size]
        if not shown and page > 1:
            return Reply(404, {"detail": "Invalid page."})
        if self.strikes("page_short"):
            shown = shown[1:]
        if self.world.scenario.bare_list:
            return Reply(200, shown)
        more = f"?page={page + 1}" if page * size < len(found) else None
        return Reply(200, {"count": len(found), "next": more, "results": shown})

    def _write(self, call: Call, parts: list[str]) -> Reply:  # noqa: PLR0911 -- likewise
        data = json.loads(call.body or b"{}")
        kind = parts[-1] if parts[-1] in ("reject", "add_tag") else "status"
        number = int(parts[-2] if kind != "status" else parts[-1])
        told = {"reject": "rejected", "add_tag": data.get("key"), "status": data.get("status")}[kind]
        uuid = self.requests[number]["uuid"]
        self.world.judge.omnitron_is_told(uuid, str(told))
        if self.strikes("write_4xx"):
            return Reply(self.world.random.choice([400, 404, 406, 403]), {"detail": "no"})
        if self.strikes("write_5xx"):
            return Reply(200 if number % 2 else 500, HTML)
        if self.strikes("write_timeout"):
            return NEVER
        if kind == "add_tag":
            self.tags[number].add(str(told))
        else:
            if self.requests[number]["status"] not in ("approved", told):
                return Reply(406, {"detail": "Status can not be changed"})
            self._set(number, str(told))
        self.writes.append((uuid, str(told)))
        self.world.tell(None, f"Omnitron: {uuid} is {told}")
        if self.strikes("write_5xx_done"):
            return Reply(200 if number % 2 else 500, HTML)
        if self.strikes("write_timeout_done"):
            return NEVER
        return Reply(200, {})
