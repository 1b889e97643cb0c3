"""Which lots a sum is drawn from."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.ledger.draws import Holding, choose_draws
from node.ledger.errors import InsufficientRights
from node.ledger.lots import LotId
from protocol.amounts import Cents

months = st.integers(2020, 2030).flatmap(lambda year: st.integers(1, 12).map(lambda month: year * 100 + month))


@st.composite
def holdings(draw: st.DrawFn) -> list[Holding]:
    lots = draw(st.lists(st.integers(1, 50), unique=True, max_size=8))
    return [Holding(LotId(lot), draw(months), Cents(draw(st.integers(0, 1_000)))) for lot in lots]


@given(holdings(), st.integers(1, 5_000))
def test_draws_sum_to_the_amount_or_name_the_shortfall(held: list[Holding], amount: int) -> None:
    available = sum(holding.cents for holding in held)
    if available < amount:
        with pytest.raises(InsufficientRights) as refusal:
            choose_draws(held, Cents(amount))
        assert (refusal.value.available, refusal.value.asked) == (available, amount)
        assert refusal.value.missing == amount - available
    else:
        draws = choose_draws(held, Cents(amount))
        assert sum(cents for _, cents in draws) == amount
        held_of = {holding.lot: holding.cents for holding in held}
        assert all(0 < cents <= held_of[lot] for lot, cents in draws)
        assert len({lot for lot, _ in draws}) == len(draws)


@given(holdings(), st.integers(1, 5_000))
def test_no_lot_is_touched_while_an_older_one_is_left(held: list[Holding], amount: int) -> None:
    if sum(holding.cents for holding in held) < amount:
        return
    drawn = dict(choose_draws(held, Cents(amount)))
    for young in held:
        for old in held:
            if (old.month, old.lot) < (young.month, young.lot) and young.lot in drawn:
                assert drawn.get(old.lot, 0) == old.cents


def test_lots_of_one_month_are_drawn_in_the_order_in_which_they_came() -> None:
    held = [
        Holding(LotId(9), 202601, Cents(5)),
        Holding(LotId(4), 202601, Cents(5)),
        Holding(LotId(7), 202512, Cents(5)),
    ]
    assert choose_draws(held, Cents(12)) == ((7, 5), (4, 5), (9, 2))
