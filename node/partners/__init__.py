"""Companies: why they give miles, to whom, how much, and what the law lets them count.

How does a purchase become miles? A till tells it with its own time and id. `purchases.require_clock` and
`require_arrival` say whether it may be believed; `purchases.decide` looks at the campaign as it stood when the customer
paid, at the ceilings and at the budget, and returns cents or raises the reason. A ceiling cuts, a budget refuses. What
is granted is written, taken from the budget and told to the accounts in one page; the till is answered when they have
credited it, or that it is pending.

What is a budget? Euros that the fund said have arrived (or the ceiling of a pledge), less what was granted, stands in
tickets, or is set aside for a file. What the accounts refuse and what refunds take back goes into it again: for other
customers, never for the company.

What does a refund do? It takes back in proportion, never more than what the customer has not yet directed to a project.

A customer without an identifier? Gets a claim ticket: 40 symbols with a MAC by a key that belongs to one till. The base
keeps what it is worth (`vouchers`), and whoever claims it first has it.

And without a sale? `operations_file` reads a CSV row by row; a dry run is the same function. `runs` keeps the rows and
books them part by part, and goes on after a stop.

What does the company see? What is left of its budget, `ceilings` (how much of its gifts counts this fiscal year, and
what is carried on), `counterparts` (what it received in return, against the limit). `coupons` are a merchant's
discount: they touch none of this.

What do others learn? The accounts: pools, accounts and sums, no company. The fund: who pays for which campaign, no holder.

    values and rules   companies, campaigns, purchases, tickets, operations_file, ceilings, counterparts, coupons
                       settings, days; letters: what other bases are told
    what is kept       grants, sales, vouchers, runs
    refusals           errors, answering
    door               service: Partners, PARTNERS_HISTORY       reading_service: what is read
    private            tables, store, parameters_store, *_service, migrations
    checks             the base adds itself up again, and holds itself against the logs

Values that law can change (rates, ceilings, years) are arguments of the rules, and come from parameters/companies.toml.
"""
