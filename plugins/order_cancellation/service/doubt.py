"""What becomes of a request whose answer got lost, in words: the flow's own declarations decide."""

from __future__ import annotations

from dataclasses import dataclass

from order_cancellation.flow.model import Flow

__all__ = ["LostAnswer", "lost_answer"]


@dataclass(frozen=True)
class LostAnswer:
    """What a flow does about a lost answer.

    Args:
        sentence: In words.
        safe: Whether nothing can be booked twice, as far as the declarations are true.
    """

    sentence: str
    safe: bool


def lost_answer(flow: Flow) -> LostAnswer:
    """Say what a flow does when the ERP may have booked and nobody knows (docs/ledger.md, "In doubt").

    Args:
        flow: The flow.
    """
    sentence, safe = _way_out(flow)
    return LostAnswer(f"The ERP may have booked it. This flow will {sentence}", safe)


def _way_out(flow: Flow) -> tuple[str, bool]:
    repeat = _repeat(flow)
    if flow.write_to_erp.look_up is not None:
        if repeat is not None:
            return f"ask the ERP first. If it has not booked, the request is sent again{repeat[0]}", True
        return "ask the ERP first, and send again only what it has not booked.", True
    if flow.custom_response is not None and flow.custom_response.decides_unknown:
        words = (
            "let the response script decide: its word counts as yours, and after a failure it is sent again."
        )
        return words, False
    if repeat is not None:
        return f"send it again{repeat[0]}", repeat[1]
    return "send nothing again: it is parked until a person decides.", True


def _repeat(flow: Flow) -> tuple[str, bool] | None:
    settings = flow.write_to_erp
    if settings.idempotency_header is not None:
        return f" under the same {settings.idempotency_header}, which the ERP books once.", True
    if settings.method == "PUT":
        return ", since PUT books once however often it is sent.", True
    if settings.duplicates_accepted:
        return "; it may then be booked twice, which the flow accepts in writing.", False
    return None
