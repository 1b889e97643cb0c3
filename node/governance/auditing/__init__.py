"""Audits by volunteers: who may look at what others were paid for, who is drawn for it, what they found, what follows.

Who audits? Volunteers (students, retired people and others: SVDD) who registered with a key of their own (`auditors`): an
account number, never a name. Each says what conflicts he has; a conflict that shows by itself, or that somebody finds,
counts too. What somebody supports is not known here, and is not asked of the accounts: the auditor says so.

Who is drawn? Out of all in the register without a conflict, by the same public number as members of the committee
(`node.governance.drawing`): the list is closed and signed first, it names the audit, and anybody draws it again. Who comes
next stands in for who declines, does not answer, does not come back, or turns out to have a conflict.

What is a mission? Signed words (`words`): which project, which instalment or the whole, which criteria, until which day.
The auditor accepts or declines with his signature, and signs a verdict for each criterion, with photographs. The worst one
is the verdict. A reserve is lifted by a later report of the same mission, once somebody has answered (`missions`).

What does it change? While an audit that was asked for has not ended, no further instalment is converted, and the reason is
told; the same where one is required and nobody asked for it, or where it failed (`gate`). Which projects must be audited,
by how many, and all terms are dated: parameters/audits.toml.

    values and rules   words, auditors, missions, gate
    private            tables, auditors_service, audits_service, audits_store, rules_store
    checks             audits_checks: signatures, drawings told again, states told again by what was signed
"""
