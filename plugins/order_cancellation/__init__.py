"""Moves cancellation requests from Omnitron to an ERP over HTTP, and the outcome back."""
