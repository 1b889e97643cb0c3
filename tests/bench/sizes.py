"""How much is measured. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """The work of one round of each family; the defaults are what the goals are held against."""

    rounds: int = 5
    accounts: int = 1_000
    bulk_batches: int = 40
    batch: int = 1_000
    singles: int = 4_000
    connections: int = 128
    pgbench_seconds: int = 2
    pgbench_scale: int = 10
    filled: int = 1_500_000
    cession_batches: int = 30
    bulk_connections: int = 4
    concurrent: int = 1_000
    idle: int = 15
    replayed: int = 200_000
    growth: tuple[int, ...] = (10_000, 100_000)
    members: int = 1_255
    member_cessions: int = 20_000


TINY = Sizes(
    rounds=2,
    accounts=20,
    bulk_batches=2,
    batch=20,
    singles=40,
    connections=8,
    pgbench_seconds=1,
    pgbench_scale=1,
    filled=200,
    cession_batches=1,
    concurrent=10,
    idle=2,
    replayed=200,
    growth=(100,),
    members=3,
    member_cessions=30,
)
