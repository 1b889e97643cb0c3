"""Who is a member: invited, enrolled with its keys, accredited, limited, suspended. Every change is a public leaf.

An invitation is a one-time token bound to a territory's SIREN (or to a South community's code). It also carries the
fingerprint of the hub's key, so that the node knows whom it talks to at its first call. Enrolling proves possession of
the keys; accrediting is the operator's act, and names a South community's sponsor territory and its guide.
"""
