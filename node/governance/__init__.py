"""Projects and the committee: what is needed, who decides, and how what was directed becomes euros at the bearer's bank.

How does a need become a project? Somebody proposes a sheet (`sheets`): need, place, theme, budget, a need-by day, a
target and a minimum, instalments. A body that the law lets a fund pay must carry it: `bearers.require_eligible` is a
gate at examination, at every vote, at opening and at every round.

Who decides? A committee of colleges (`votes`): each member signs a ballot with a key that this base does not hold, those
with a conflict abstain, each college has a quorum and one voice. `minutes` hold everything that anybody needs to count
again, and their digest is the decision that every order names. Members may be drawn by lot (`drawing`). What bearers and
members say outside a vote (work, hours, a pass, a conflict) is signed too (`attestations`).

What then? `projects` has the one table of states. A project that opens is told to the accounts, which answer with its
number and its support, never with who supports. It is funded at its target, or at its minimum on its need-by day
(`deadlines_service`); else what was directed to it goes back.

How do euros get there? In rounds (`instalments`): the accounts say how much of which lot, the order (protocol/conversion)
says who is paid, sealed for each fund. The next instalment waits for proofs of the one before; an audit that failed
stops all. Each fund's payment is followed until the bearer confirms it.

Who is named? Nobody. Members have titles, citizens account numbers; who is behind them is another base's business.

    values and rules   projects, sheets, bearers, votes, minutes, drawing, attestations, instalments, comments, signers, pictures, days, texts
    refusals           errors, answering
    door               service: Projects, PROJECTS_HISTORY       reading_service: what is read
    private            tables, store, parameters_store, *_service, migrations
    checks             the base adds itself up again, verifies every signature, and holds itself against the logs

Values that law or statutes can change are in parameters/*.toml with their dates.
"""
