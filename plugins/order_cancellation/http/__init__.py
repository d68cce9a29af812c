"""HTTP for the engine: transport, login kinds, tokens, limits, templates, masking. No ledger, no Airflow."""
