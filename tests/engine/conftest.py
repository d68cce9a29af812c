"""Fixtures of the engine's tests."""

from engine_harness import empty_ledger, engine, sandbox

__all__ = ["empty_ledger", "engine", "sandbox"]
