"""The steps of a flow as Airflow operators, one module each; all of them thin."""

from __future__ import annotations

__all__: list[str] = []
