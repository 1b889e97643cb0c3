"""The fund's base of a territory: euros in, miles issued, euros paid to bearers, and the books of all of it.

How does a euro come in? A donor or a company announces it (`expectations`), the bank's statement tells it (`statements`,
`camt`), `matching` finds what it is for, and what nobody recognises waits for a person. A `deposit` is told to the accounts,
which issue its lot: nothing else issues miles.

How does a euro go out? What the accounts converted is owed (`dues`), by an order that a committee's base signed
(`protocol/conversion`), or netted with other funds in windows (`netting`). Two officers sign each payment with keys that this
base does not hold (`signature_service`); one order of a day goes to the bank (`payment_order`), and is followed until the
statement has it (`payment_status`). A rejected payment is owed again, and none is paid twice.

What is kept for whom? Each movement of the bank is double entry in the same page (`bookings`, `entries`), closed by year, with
dedicated funds for what is not spent (`dedications`), and written as the file of entries (`fec`). Receipts have numbers without
a gap (`receipts`), gifts by month are debited (`direct_debits`), reminders go out, and a donor is told what its euros did (`effects_service`).

What may change by law stands in `parameters/*.toml` with its dates. Names of donors and officers are here, and no citizen's account.

    values and rules   expectations, matching, deposits, dues, netting, bookings, entries, dedications, receipts, mecenat, references, ...
    formats            camt, statement_csv, payment_order, payment_status, direct_debits, fec, receipt_sheet
    door               service; each idea has a `..._service`
    private            tables, stores, migrations          checks: the base adds itself up, against the bank and the logs
"""
