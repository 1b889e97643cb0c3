"""Every cent of what is directed, converted and paid goes where cents dealt one by one would go.

The oracles hold each cent as an item of a list and move one at a time; shares are fractions. Nothing of the product counts.
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.ledger.errors import InsufficientRights
from node.ledger.lots import LotClass, LotId
from node.orientation.conversions import Directed, choose_round, sum_by_lot
from node.orientation.directions import Choice, Direct, Held, Overflow, Road, choose_back, plan
from node.orientation.errors import LotsUnfit, NotDirected, ProjectFull
from node.orientation.projects import LotTerms
from node.orientation.standing import StandingOrder, allot, compute_share
from protocol.identifiers import Address, Id16, TerritoryCode, make_account_number

HOME, LYON, LILLE = (TerritoryCode(code) for code in ("242900314", "200046977", "200093201"))
PROJECTS = [Address(make_account_number(bytes([at]) * 16), HOME) for at in range(4)]
HOLDER = make_account_number(b"a holder's bytes")
few = settings(max_examples=60)

lots = st.lists(
    st.tuples(
        st.sampled_from([202601, 202602, 202603]), st.sampled_from(["", "rivers", "schools"]), st.integers(1, 12)
    ),
    max_size=5,
)
# A choice: cents, or what the others leave; its theme; its room, or nobody knows; whether it is shut.
roads = st.tuples(
    st.integers(0, 15), st.sampled_from(["rivers", "schools"]), st.none() | st.integers(0, 12), st.booleans()
)


def _terms(month: int, bound: str) -> LotTerms:
    lot_class = LotClass.ELIGIBLE | (LotClass.RESTRICTED if bound else LotClass(0))
    return LotTerms(month=month, lot_class=lot_class, restriction=bound, issuer=HOME)


def _deal(
    purse: list[tuple[int, str]],
    wishes: list[tuple[int | None, str, int | None, bool]],
    overflow: Overflow,
    available: int,
) -> list[list[int]] | str:
    """Return the lot of each cent that each choice gets, or the code. `purse` has (lot, bound to) for each cent, oldest first."""
    named = sum(cents or 0 for cents, *_ in wishes)
    if available < max(named, 1):
        return "insufficient_rights"
    got: list[list[int]] = []
    carried = 0
    for cents, theme, room, is_shut in wishes:
        own = available - named if cents is None else cents
        basket: list[int] = []
        wish = own + carried
        if not is_shut:
            for cent in list(purse):
                is_full = room is not None and len(basket) >= room
                if len(basket) == wish or is_full or sum(map(len, got)) + len(basket) == available:
                    break
                if cent[1] in ("", theme):
                    purse.remove(cent)
                    basket.append(cent[0])
            must = own if room is None else min(own, room)
            if cents is not None and len(basket) < must:
                return "lots_unfit"
        got.append(basket)
        carried = wish - len(basket) if overflow is Overflow.NEXT else 0
    if not any(got):
        return "project_full" if any(is_shut for *_, is_shut in wishes) else "lots_unfit"
    return got


@few
@given(
    held=lots,
    asked=st.lists(roads, min_size=1, max_size=4),
    rest=st.none() | st.integers(0, 3),
    overflow=st.sampled_from(Overflow),
    reserved=st.integers(0, 8),
)
def test_what_each_choice_gets_is_what_cents_dealt_one_by_one_come_to(
    held: list[tuple[int, str, int]],
    asked: list[tuple[int, str, int | None, bool]],
    rest: int | None,
    overflow: Overflow,
    reserved: int,
) -> None:
    wishes = [(None if at == rest else max(1, cents), *more) for at, (cents, *more) in enumerate(asked)]
    available = max(0, sum(cents for _, _, cents in held) - reserved)
    order = sorted(range(len(held)), key=lambda at: (held[at][0], not held[at][1], at))
    purse = [(at, held[at][1]) for at in order for _ in range(held[at][2])]
    expected = _deal(purse, wishes, overflow, available)  # type: ignore[arg-type]
    direct = Direct(
        op=Id16(b"a choice of ours"),
        account=HOLDER,
        choices=tuple(Choice(to=PROJECTS[at], cents=wish[0]) for at, wish in enumerate(wishes)),  # type: ignore[arg-type]
        overflow=overflow,
    )
    ways = [
        Road(
            room=room,  # type: ignore[arg-type]
            is_fit=lambda terms, theme=theme: terms.restriction in ("", theme),
            hindrance=ProjectFull(account=HOLDER, room=0) if is_shut else None,
        )
        for _, theme, room, is_shut in wishes
    ]
    kept = [Held(LotId(at), cents, _terms(month, bound)) for at, (month, bound, cents) in enumerate(held)]
    if isinstance(expected, str):
        with pytest.raises((InsufficientRights, LotsUnfit, ProjectFull)) as refused:
            plan(direct, ways, kept, available=available)
        assert refused.value.code == expected
        return
    found = plan(direct, ways, kept, available=available)
    assert [Counter(dict(one.draws)) for one in found] == [Counter(basket) for basket in expected]
    assert [one.cents for one in found] == [len(basket) for basket in expected]


# What an orientation holds of a lot: cents. A lot has one month and one issuer.
held_for = st.dictionaries(st.tuples(st.integers(0, 4), st.integers(0, 5)), st.integers(0, 9), max_size=8)


@few
@given(held=held_for, cents=st.integers(1, 40), payers=st.sets(st.sampled_from([HOME, LYON, LILLE])))
def test_a_round_takes_the_oldest_cents_one_by_one_and_each_is_owed_by_its_lot_s_fund(
    held: dict[tuple[int, int], int], cents: int, payers: set[TerritoryCode]
) -> None:
    issuers = [HOME, LYON, LILLE]
    parts = [Directed(at, 202601 + lot % 2, LotId(lot), some, issuers[lot % 3]) for (at, lot), some in held.items()]
    line = [one for one in sorted(parts) for _ in range(one.cents)]
    if len(line) < cents:
        with pytest.raises(InsufficientRights) as refused:
            choose_round(parts, cents, payers)
        assert refused.value.facts["missing"] == cents - len(line)
        return
    round_ = choose_round(parts, cents, payers)
    taken = Counter((one.orientation, one.lot) for one in line[:cents] if one.issuer in payers)
    assert Counter({(one.orientation, one.lot): one.cents for one in round_.taken}) == taken
    assert round_.waiting == cents - sum(taken.values())
    by_fund: Counter[tuple[str, int]] = Counter((one.issuer, one.lot) for one in line[:cents] if one.issuer in payers)
    told = {(issuer, lot): some for issuer, of_lot in sum_by_lot(round_.taken).items() for lot, some in of_lot.items()}
    assert told == dict(by_fund), "euros are asked of each lot as it was taken"


@few
@given(held=st.dictionaries(st.integers(0, 6), st.integers(0, 9), max_size=5), cents=st.none() | st.integers(0, 30))
def test_what_goes_back_is_the_youngest_cent_by_cent(held: dict[int, int], cents: int | None) -> None:
    rows = [(LotId(lot), 202601 + lot % 3, some) for lot, some in held.items()]
    line = sorted(((month, lot) for lot, month, some in rows for _ in range(some)), reverse=True)
    wanted = len(line) if cents is None else cents
    if not 0 < wanted <= len(line):
        with pytest.raises(NotDirected):
            choose_back(bytes(16), rows, cents)
        return
    back = choose_back(bytes(16), rows, cents)
    assert dict(back) == dict(Counter(lot for _, lot in line[:wanted]))


@few
@given(
    share=st.integers(1, 1_000), base=st.integers(0, 10**9), available=st.integers(0, 10**9), projects=st.integers(0, 4)
)
def test_a_standing_order_directs_its_share_rounded_down_and_the_odd_cents_go_to_the_first(
    share: int, base: int, available: int, projects: int
) -> None:
    order = StandingOrder(op=Id16(bytes(15) + b"\1"), account=HOLDER, share=share)
    cents = compute_share(order, base, available)
    exact = min(Fraction(base * share, 1_000), Fraction(available))
    assert cents <= exact < cents + 1
    parts = allot(cents, PROJECTS[:projects])
    dealt = Counter(PROJECTS[at % projects] for at in range(cents % 1_000)) if projects else Counter()
    if cents < 1_000:
        assert dict(parts) == dict(dealt), "one by one, as cards are dealt"
    assert sum(part for _, part in parts) == (cents if projects else 0)
    assert all(abs(Fraction(cents, projects) - part) < 1 for _, part in parts)
