"""What can be set on the fake Omnitron and the fake ERP, checked when it comes in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

ERP_LOGINS = ("none", "basic", "jwt", "oauth2", "permanent_token", "custom_header")


class SandboxError(ValueError):
    """A scenario, rule or setting that the sandbox cannot follow, and why."""


def only_known(data: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    """Refuse names that mean nothing, so that a typing error cannot pass as "no fault".

    Raises:
        SandboxError: If there is such a name.
    """
    if unknown := sorted(set(data) - set(known)):
        raise SandboxError(
            f"{where}: {', '.join(unknown)} is not known. Known are: {', '.join(sorted(known))}."
        )


@dataclass(frozen=True)
class Settings:
    """How both servers behave when no rule says otherwise.

    Args:
        omnitron_latency: How long Omnitron takes for each answer, in seconds.
        omnitron_user: Who may log in to Omnitron.
        omnitron_password: With which password.
        omnitron_token_calls: For how many calls an Omnitron token is good; None for ever.
        default_limit: How many requests a page has when nobody asks for a number.
        limit_cap: The most that a page may have, whatever is asked for.
        forbidden_transitions: Pairs of statuses (from, to) answered with 406; ``*`` is any status.
        erp_latency: How long the ERP takes for each answer, in seconds.
        erp_login: Which login the ERP demands, one of ``ERP_LOGINS``.
        erp_user: Who may log in to the ERP.
        erp_password: With which password.
        erp_header: The header that must carry the login.
        erp_prefix: The word before the token; None for the usual one of the login.
        erp_login_extra: What the body of a jwt login must hold beside user and password.
        erp_token: The permanent token.
        erp_secret_headers: The headers that the login ``custom_header`` demands.
        erp_client_id: The OAuth2 client.
        erp_client_secret: Its secret.
        erp_refresh_token: A refresh token that is good from the start.
        erp_token_life: How long an ERP token lives, in seconds; it is told as ``expires_in``.
        erp_token_calls: For how many calls an ERP token is good; None for as long as it lives.
        idempotency: Whether the ERP honours the idempotency header.
        idempotency_header: That header's name.
        book_paths: Where a booking's key is looked for in the body, first found first taken.
        look_up_missing: The status of a look-up that finds nothing: 404, or 200 with ``found`` false.
    """

    omnitron_latency: float = 0.0
    omnitron_user: str = "omnitron"
    omnitron_password: str = field(default="omnitron-secret", repr=False)
    omnitron_token_calls: int | None = None
    default_limit: int = 10
    limit_cap: int = 100
    forbidden_transitions: Sequence[Sequence[str]] = ()
    erp_latency: float = 0.0
    erp_login: str = "jwt"
    erp_user: str = "erp"
    erp_password: str = field(default="erp-secret", repr=False)
    erp_header: str = "Authorization"
    erp_prefix: str | None = None
    erp_login_extra: Mapping[str, Any] = field(default_factory=dict)
    erp_token: str = field(default="erp-permanent-secret", repr=False)
    erp_secret_headers: Mapping[str, Any] = field(
        default_factory=lambda: {"X-Api-Key": "erp-header-secret"}, repr=False
    )
    erp_client_id: str = "erp-client"
    erp_client_secret: str = field(default="erp-client-secret", repr=False)
    erp_refresh_token: str = field(default="erp-refresh-secret", repr=False)
    erp_token_life: float = 3600.0
    erp_token_calls: int | None = None
    idempotency: bool = False
    idempotency_header: str = "Idempotency-Key"
    book_paths: Sequence[str] = ("$.request_id", "$.id", "$.uuid", "$.reference")
    look_up_missing: int = 404

    def changed(self, changes: Mapping[str, Any]) -> Settings:
        """Return these settings with some of them changed.

        Raises:
            SandboxError: If a name is not known or a value is of the wrong kind.
        """
        only_known(changes, [each.name for each in fields(self)], "settings")
        for name, value in changes.items():
            self._check(name, value)
        return replace(self, **changes)

    def _check(self, name: str, value: Any) -> None:
        wanted = next(each.type for each in fields(self) if each.name == name)
        if not _KINDS[str(wanted)](value):
            raise SandboxError(f"settings: {name} must be {wanted}.")
        if name == "erp_login" and value not in ERP_LOGINS:
            raise SandboxError(f"settings: erp_login must be one of {', '.join(ERP_LOGINS)}.")
        if name in ("default_limit", "limit_cap") and value < 1:
            raise SandboxError(f"settings: {name} must be at least 1.")


def is_whole(value: Any) -> bool:
    """Whether this is a whole number; True and False are none."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_duration(value: Any) -> bool:
    """Whether this is a number of seconds, not below 0."""
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def is_texts(value: Any) -> bool:
    """Whether this is a list of texts."""
    return isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)


_PAIR = 2
_KINDS: dict[str, Callable[[Any], bool]] = {
    "float": is_duration,
    "int": is_whole,
    "int | None": lambda value: value is None or is_whole(value),
    "str": lambda value: isinstance(value, str),
    "str | None": lambda value: value is None or isinstance(value, str),
    "bool": lambda value: isinstance(value, bool),
    "Mapping[str, Any]": lambda value: isinstance(value, Mapping),
    "Sequence[str]": is_texts,
    "Sequence[Sequence[str]]": lambda value: (
        isinstance(value, list | tuple) and all(is_texts(pair) and len(pair) == _PAIR for pair in value)
    ),
}
