"""Who is signed in, and what the API looks like."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from pydantic import BaseModel

from order_cancellation.api.guard import Caller, area, needs
from order_cancellation.api.rights import Right, may

__all__ = ["router"]

router = area()


class Me(BaseModel):
    """Who is signed in."""

    name: str
    can_create: bool
    can_reveal: bool


@router.get("/api/me", **needs(Right.SIGNED_IN))
def get_me(user: Caller) -> Me:
    """Tell who is signed in, and what they may do with flows in general."""
    return Me(name=user.get_name(), can_create=may(user, Right.CREATE), can_reveal=may(user, Right.REVEAL))


@router.get("/openapi.json", include_in_schema=False, **needs(Right.SIGNED_IN))
def get_openapi(request: Request) -> dict[str, Any]:
    """Return the API's description."""
    servers = [{"url": request.scope.get("root_path", "")}]
    return {**request.app.openapi(), "servers": servers}
