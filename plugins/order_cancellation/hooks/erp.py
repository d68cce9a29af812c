"""The connection type ``erp``."""

from __future__ import annotations

from order_cancellation.hooks.connecting import EndpointHook

__all__ = ["ErpHook"]


class ErpHook(EndpointHook):
    """Any ERP: base URL and one of the login kinds that the connection's form offers.

    :param http_conn_id: The connection's id.
    """

    default_conn_name = "erp_default"
    conn_type = "erp"
    hook_name = "ERP"
