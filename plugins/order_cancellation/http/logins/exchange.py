"""The call that a login consists of, and reading the token from its answer."""

from __future__ import annotations

import base64
import binascii
import json
import re
from datetime import datetime, timedelta
from typing import Any

from order_cancellation.errors import InDoubt, LoginFailed, NotSent
from order_cancellation.http.jsonpath import first_match
from order_cancellation.http.logins.kind import Visit
from order_cancellation.http.masking import endpoint_secrets, excerpt, mask, outline
from order_cancellation.http.messages import Answer, Call
from order_cancellation.http.pauses import repeating
from order_cancellation.http.statuses import SUCCESS
from order_cancellation.http.transport import describe

__all__ = ["LOGIN_TIMEOUT_S", "exchange", "jwt_life_s", "renew_at", "token_in"]

LOGIN_TIMEOUT_S = 20.0
LONGEST_MARGIN_S = 60.0
MARGIN_SHARE = 0.2
LONGEST_LIFE_S = 10 * 366 * 86_400.0
TITLE = re.compile(r"<title[^>]*>([^<]{1,100})", re.IGNORECASE)


async def exchange(visit: Visit, call: Call) -> Any:
    """Send the login's call, with repeats, and return its answer's JSON.

    Raises:
        LoginFailed: It did not get through, was refused, or the answer is no JSON; the message says what
            came back instead, without anything secret.
    """
    try:
        answer = await repeating(lambda: visit.transport.send(call), clock=visit.clock, random=visit.random)
    except (NotSent, InDoubt) as error:
        raise LoginFailed(f"{_who(visit)}: login failed. {error}") from error
    if answer.status not in SUCCESS:
        raise LoginFailed(
            f"{_who(visit)}: login with {describe(call)} was answered {answer.status}: "
            f"{_safe_excerpt(visit, call, answer)}. Check the connection's user, password and login fields"
        )
    return _json_of(visit, call, answer)


def _json_of(visit: Visit, call: Call, answer: Answer) -> Any:
    data = answer.data
    if isinstance(data, dict | list):
        return data
    raise LoginFailed(
        f"{_who(visit)}: login with {describe(call)} was answered {answer.status} with {_nature(answer)} "
        "instead of a JSON object. Check the login's address"
    )


def _nature(answer: Answer) -> str:
    """Say what an answer without JSON is, but not what it says: a bare text may be a token."""
    text = answer.text.strip()
    if text.startswith("<"):
        title = TITLE.search(text)
        return f"a page titled '{title[1].strip()}'" if title else "a page of HTML or XML"
    return f"a text of {len(text)} characters" if text else "nothing"


def _who(visit: Visit) -> str:
    return f"Connection '{visit.endpoint.connection_id}'"


def _safe_excerpt(visit: Visit, call: Call, answer: Answer) -> str:
    sent = call.body.decode("utf-8", "replace") if call.body else None
    return excerpt(answer, secrets=[*endpoint_secrets(visit.endpoint), visit.refresh_token, sent])


def token_in(visit: Visit, data: Any, path: str) -> str:
    """Return the token that a JSONPath points to.

    Raises:
        LoginFailed: There is nothing there, or nothing that can be a token; the message shows the answer's
            keys without their values.
    """
    token = first_match(path, data)
    if isinstance(token, str | int) and not isinstance(token, bool) and str(token).strip():
        return str(token).strip()
    shape = mask(json.dumps(outline(data), ensure_ascii=False), endpoint_secrets(visit.endpoint))[:300]
    raise LoginFailed(
        f"{_who(visit)}: login was answered, but there is no token at {path}. The answer looks like {shape}. "
        "Check token_path"
    )


def renew_at(now: datetime, life_s: Any) -> datetime | None:
    """Return when to renew what lives for some seconds: a minute ahead, or a fifth of a short life.

    Args:
        now: When it was given.
        life_s: Its life in seconds as the other side said it, or anything else where it said none.
    """
    try:
        life = min(float(life_s), LONGEST_LIFE_S)
    except (TypeError, ValueError):
        return None
    if not life > 0:
        return None
    return now + timedelta(seconds=life - min(LONGEST_MARGIN_S, life * MARGIN_SHARE))


def jwt_life_s(token: str, now: datetime) -> float | None:
    """Return how many seconds a JSON web token says that it lives, or None where it says nothing.

    With ``iat`` given, both ends are by the issuer's clock, so that its difference to ours does not matter.
    """
    payload = _jwt_payload(token)
    ends, begins = payload.get("exp"), payload.get("iat", now.timestamp())
    if not isinstance(ends, int | float) or not isinstance(begins, int | float):
        return None
    return ends - begins if ends > begins else None


def _jwt_payload(token: str) -> dict[str, Any]:
    try:
        middle = token.split(".")[1]
        payload = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    except (IndexError, ValueError, binascii.Error, RecursionError):
        return {}
    return payload if isinstance(payload, dict) else {}
