"""Citizen-Pass: proof of work done for a project, that its holder carries away and anybody can verify.

What is a pass? Hours by year, a role and skills, for a person or a group, in one project; claimed by the holder, validated
by the project's bearer and by the committee, then issued (`passes`).

What leaves the node? A W3C Verifiable Credential that is an Open Badge 3.0 (`credentials`), signed twice: as JSON with a
Data Integrity proof eddsa-jcs-2022 (`data_integrity`), and as a compact VC-JWT (`web_tokens`), which is the form that
other badge platforms read. It is baked into a picture of ours, PNG or SVG (`png_baking`, `svg_baking`), and printed as a
PDF with a QR (`pass_proofs`).

Who signs? A key derived from the key of the projects base (`issuers`): `did:web` where the node has an address, and
`did:key` where it has none. Whoever holds the document needs nothing of ours to verify it.

Who is the holder? Nobody that the credential names. Its subject is the holder's own DID, or a salted hash of a code that
only the holder has, another one for each pass (`holders`): two passes of one person cannot be put together. A name is
printed on the PDF where the holder asks for it, and is kept nowhere.

How does a pass end? By its date, or by its bit in two status lists, one for revocation and one for suspension
(`status_lists`). A corrected pass is another pass that names the first, which is revoked.

What is read from strangers? Pictures and credentials, bounded, and taken for nothing until their proof holds
(`verification`).

Where do they live? In the projects' base: `pass_service` decides in its pages and draws beside them, `tables` and `pass_store` are
private, `pass_checks` verifies every pass again. Each pass has a secret of its own, from which code, salt and place follow.

Source: Open Badges 3.0 (1EdTech), VC Data Model 2.0, VC Data Integrity EdDSA Cryptosuites 1.0, Bitstring Status List 1.0
(W3C); shared design, DOMAIN.md, 6.
"""
