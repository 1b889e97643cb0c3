"""Companies: why they give miles, to whom, how much, and what the law lets them count.

What is there? Only rules, as pure functions of values. The base around them (tables, service, tills' credentials, API)
is not there yet; nothing here is called by a running node.

How does a purchase become miles? A till tells it with its own time and id. `purchases.require_clock` and
`require_arrival` say whether it may be believed; `purchases.decide` looks at the campaign as it stood when the customer
paid, at the ceilings and at the budget, and returns cents or raises the reason. A ceiling cuts, a budget refuses.

What does a refund do? It takes back in proportion, never more than what the customer has not yet directed to a project,
and puts it back into the campaign's budget. The company itself never gets a mile or a euro back.

A customer without an identifier? Gets a claim ticket: 40 symbols with a MAC by a key that belongs to one till.

And without a sale? `operations_file` reads a CSV row by row; a dry run is the same function.

What does the company see? What is left of its budget, `ceilings` (how much of its gifts counts this fiscal year, and
what is carried on), `counterparts` (what it received in return, against the limit). `coupons` are a merchant's
discount: they touch none of this.

    values and rules   companies, campaigns, purchases, tickets, operations_file, ceilings, counterparts, coupons
    refusals           errors

Values that law can change (rates, ceilings, years) are arguments everywhere.
"""
