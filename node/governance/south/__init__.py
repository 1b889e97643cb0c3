"""South programmes: euros that work abroad under a French bearer's control, and guides who act for groups.

What makes a project a programme? Its place: INSEE gives every country abroad a code that begins with 99, and a project
with such a code is a programme, declared or not. One that is declared is one too, wherever its sheet says it is.

What must be there? An action of the kinds that the law lets a French body carry outside Europe, an eligible French bearer
with its account in France or the EEA, a partner with proofs that hold, a control agreement in force with its clauses, a budget
that comes to the target, a statement of two people that they looked at the sanctions lists, and field reports in their
time. `gate.missing` names everything that is not; until it names nothing, the project is not opened, and no round and so
no instalment of it is converted. Proofs of the instalment before are asked by `node/governance/instalments.py`, as of any
project.

Who says what was done there? The partner, or an accredited guide, in a report signed with a key that this base does not
hold. No list of sanctions is in here and none is looked at: two people say which lists they looked at, and when.

Who is a guide? Somebody whom enough members of the committee accredited by their signatures, for a term (`guides`). The
accounts are told the key and the term, and the end. For whom a guide acts is known there alone (node/guides).

    values and rules   programmes, reports, clearances, guides, rules, gate
    refusals           errors
    private            tables, programme_store, programme_service, guide_service
    checks             south_checks

Source: CGI art. 200 and 238 bis; BOFIP of 10/05/2017; shared design, DOMAIN.md 0.9 and 1.7; parameters/south.toml.
"""
