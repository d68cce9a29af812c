"""The yardstick: a plain asyncio script that does the same calls, and keeps no ledger."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import aiohttp

from order_cancellation.sandbox.settings import Settings

MADE_UP = Settings()


async def run(url: str, in_flight: int) -> tuple[float, int]:
    """Log in, list, and for each request POST to the ERP and PATCH in Omnitron.

    Args:
        url: The sandbox.
        in_flight: How many requests are on their way at a time.

    Returns:
        How long it took in seconds, and how many requests there were.
    """
    begun = time.perf_counter()
    async with aiohttp.ClientSession(url) as session:
        omnitron, erp = await asyncio.gather(
            log_in(session, "/api/v1/auth/login/", MADE_UP.omnitron_user, MADE_UP.omnitron_password, "key"),
            log_in(session, "/erp/login", MADE_UP.erp_user, MADE_UP.erp_password, "token"),
        )
        to_omnitron, to_erp = {"Authorization": f"Token {omnitron}"}, {"Authorization": f"Bearer {erp}"}
        requests = await list_requests(session, to_omnitron)
        waiting = iter(requests)

        async def work() -> None:
            for request in waiting:
                await deliver(session, request, to_erp, to_omnitron)

        await asyncio.gather(*(work() for _ in range(in_flight)))
    return time.perf_counter() - begun, len(requests)


async def log_in(session: aiohttp.ClientSession, path: str, user: str, password: str, token: str) -> str:
    async with session.post(path, json={"username": user, "password": password}) as answer:
        answer.raise_for_status()
        return str((await answer.json())[token])


async def list_requests(session: aiohttp.ClientSession, headers: dict[str, str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    query = {"status": "approved", "sort": "modified_date", "limit": "100"}
    page = 0
    while True:
        page += 1
        path = "/api/v1/cancellation_requests/detailed/"
        async with session.get(path, params={**query, "page": str(page)}, headers=headers) as answer:
            answer.raise_for_status()
            body = await answer.json()
        found += body["results"]
        if not body["next"]:
            return found


async def deliver(
    session: aiohttp.ClientSession,
    request: dict[str, Any],
    to_erp: dict[str, str],
    to_omnitron: dict[str, str],
) -> None:
    item = request["order_item"]
    body = {
        "request_id": request["id"],
        "order": item["order"]["number"],
        "sku": item["product"]["sku"],
        "amount": item["net_amount"],
    }
    async with session.post("/erp/cancellations", json=body, headers=to_erp) as answer:
        answer.raise_for_status()
    path = f"/api/v1/channel/{request['channel']['pk']}/cancellation_requests/{request['id']}/"
    async with session.patch(path, json={"status": "completed"}, headers=to_omnitron) as answer:
        answer.raise_for_status()
