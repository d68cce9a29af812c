"""The login kinds, one file each; a new one is a new file and a line here."""

from __future__ import annotations

from order_cancellation.http.logins.basic import BASIC
from order_cancellation.http.logins.custom_header import CUSTOM_HEADER
from order_cancellation.http.logins.jwt import JWT
from order_cancellation.http.logins.kind import Credentials, LoginKind, Visit
from order_cancellation.http.logins.none import NONE
from order_cancellation.http.logins.oauth2 import OAUTH2
from order_cancellation.http.logins.omnitron import OMNITRON
from order_cancellation.http.logins.permanent_token import PERMANENT_TOKEN

__all__ = ["LOGIN_KINDS", "Credentials", "LoginKind", "Visit"]

LOGIN_KINDS: dict[str, LoginKind] = {
    kind.name: kind for kind in (NONE, BASIC, JWT, OAUTH2, PERMANENT_TOKEN, CUSTOM_HEADER, OMNITRON)
}
"""By the name that stands in a connection's ``login_kind``."""
