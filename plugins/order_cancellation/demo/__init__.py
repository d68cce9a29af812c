"""What ``make airflow`` and ``make demo`` run: Airflow on this machine, a made-up merchant's morning.

Nothing here imports Airflow: it is started as a program and spoken to over its REST API, as anybody would.
"""
