"""Tests: folders that mirror the source, then `architecture`, `simulation`, `end_to_end` and `security`.

The oracle of a test is never the code under test. The tests start their own PostgreSQL (`postgres.py`).
"""
