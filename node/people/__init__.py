"""People: who is behind an account number. No other base stores a name, and this one stores none in clear.

How is a name kept? Sealed under a data key of that person's own, which is sealed under the base key, which is a file of
this base's folder under its operator's passphrase (`vault`). Somebody is found by keyed digests of address, telephone,
or name and birth date. Whoever steals the book has ids, days and states.

How is somebody forgotten? The accounts close the accounts, what is on its way is waited for, and the data key is
destroyed (`erasures`): then no copy of the record opens. A letter says what the law keeps, until when, by which article.

Who may do what? The person, a delegate within his powers, or an officer of this base (`authority`); roles, rules and
texts of consent move by four eyes (`four_eyes`). Each reading and change is an entry of the journal, chained and keyed,
which the person gets with the export.

What do others learn? The accounts: an id, and whether an account is a person's or a group's. Every base: that a duty there is
over, by the word under which it knows the officer itself (`duties_service`), never who he is. Nothing else.

    values and rules   records, roles, delegations, authority, four_eyes, rules, consents, declarations, accounts,
                       erasures, identities, paper_codes, vault, exports, days; requests: what is asked
    refusals           errors
    door               service: People, open_people, PEOPLE_HISTORY
    private            tables, *_store, *_service, migrations; code_pages draws cards
    checks             the base proves itself, with its keys

What the law keeps of somebody who is erased comes from parameters/retention.toml.
"""
