"""The connection type ``omnitron``."""

from __future__ import annotations

from order_cancellation.hooks.connecting import EndpointHook

__all__ = ["OmnitronHook"]


class OmnitronHook(EndpointHook):
    """Omnitron: base URL, user name and password; logs in with its own token call.

    :param http_conn_id: The connection's id.
    """

    default_conn_name = "omnitron_default"
    conn_type = "omnitron"
    hook_name = "Omnitron"
