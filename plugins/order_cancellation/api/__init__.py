"""The API of the pages inside Airflow: thin routes over ``service``, behind Airflow's own sign-in and rights.

Only the API server imports it. ``app`` makes the application, ``guard`` says who gets in, ``place`` opens
what the use cases need, and each other module is one area's routes.
"""

from __future__ import annotations

__all__: list[str] = []
