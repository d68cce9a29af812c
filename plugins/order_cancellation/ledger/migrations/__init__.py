"""The ledger's schema, from one release to the next; written for Alembic."""
