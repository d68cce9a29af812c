"""A connection's TLS and proxy options, named as Airflow's HTTP connections name them."""

from __future__ import annotations

import ipaddress
import logging
import ssl
from typing import Any

from yarl import URL

from order_cancellation.errors import ConfigurationError
from order_cancellation.http.endpoint import Endpoint

__all__ = ["proxy_of", "tls_of", "warn_if_plain"]

log = logging.getLogger(__name__)


def tls_of(endpoint: Endpoint) -> ssl.SSLContext | None:
    """Build the TLS context that a connection asks for.

    Options: ``verify`` (true, false, or a path to certificates to trust), ``ca`` (such a path, by itself) and
    ``cert`` (our own certificate: a path, or a list of certificate and key).

    Args:
        endpoint: The connection.

    Returns:
        A context that verifies certificate and host name, unless ``verify`` is false, which is logged; None
        where the connection asks for nothing special: the client's own context does the same, and making one
        costs each task 20 ms of reading the system's certificates.

    Raises:
        ConfigurationError: A file can't be read, or an option is of the wrong kind.
    """
    verify = endpoint.options.get("verify", True)
    if verify is True and not endpoint.options.get("ca") and endpoint.options.get("cert") is None:
        return None
    trusted = endpoint.options.get("ca") or (verify if isinstance(verify, str) else None)
    try:
        context = ssl.create_default_context(cafile=trusted)
        _own_certificate(context, endpoint.options.get("cert"))
    except (OSError, TypeError, ValueError) as error:
        raise ConfigurationError(
            f"Connection '{endpoint.connection_id}': verify, ca or cert can't be used "
            f"({type(error).__name__}); give paths to PEM files that the worker can read"
        ) from error
    if verify is False:
        log.warning("Connection '%s' does not verify TLS certificates", endpoint.connection_id)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def warn_if_plain(endpoint: Endpoint) -> None:
    """Log a warning where credentials would travel unencrypted to another machine."""
    url = URL(endpoint.base_url)
    if url.scheme == "http" and not _is_loopback(url.host or ""):
        log.warning(
            "Connection '%s' uses http://, so credentials and personal data travel unencrypted; use https://",
            endpoint.connection_id,
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _own_certificate(context: ssl.SSLContext, cert: Any) -> None:
    if isinstance(cert, str):
        context.load_cert_chain(cert)
    elif cert is not None:
        context.load_cert_chain(*cert)


def proxy_of(endpoint: Endpoint) -> str | None:
    """Return the proxy of a connection: option ``proxy``, or ``proxies`` by scheme as in ``requests``.

    Raises:
        ConfigurationError: It is not an ``http://`` URL.
    """
    proxies = endpoint.options.get("proxies")
    by_scheme = proxies.get(URL(endpoint.base_url).scheme) if isinstance(proxies, dict) else None
    proxy = endpoint.options.get("proxy") or by_scheme
    if proxy is None:
        return None
    if not isinstance(proxy, str) or not proxy.startswith(("http://", "https://")):
        raise ConfigurationError(
            f"Connection '{endpoint.connection_id}': proxy has to be a URL that begins with http:// or https://"
        )
    return proxy
