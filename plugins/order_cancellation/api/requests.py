"""Routes: requests."""

from __future__ import annotations

from order_cancellation.api.guard import area

__all__ = ["router"]

router = area()
