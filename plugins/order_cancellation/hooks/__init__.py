"""Airflow's connections to Omnitron and to ERPs.

``endpoints`` is what tasks use; ``omnitron`` and ``erp`` hold the hook classes, which import the HTTP
provider and are loaded by Airflow when somebody presses *Test* or asks for the hook.
"""

from __future__ import annotations

__all__: list[str] = []
