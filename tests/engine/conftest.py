"""Fixtures of the engine's tests."""

from engine_harness import engine, sandbox

__all__ = ["engine", "sandbox"]
