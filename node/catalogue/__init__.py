"""Cards and catalogues: what our house lets everybody know of itself, and what other territories do.

How does ours get out? The fund tells its settlement account and the projects' base its catalogue, each signed by itself;
the accounts name both bases' keys in the territory's card, sign it with the key of the directory, and hand card and
catalogue to the hub (`worker`), or to a file.

How do others' come in? In pages from the hub or from a file (`service.take`). Who carried them is believed in nothing: each
card is verified against our own directory, each catalogue against its card; a lower number and a second content under one
number are refused and said. Holders find projects in them (`listing`), and direct rights to their addresses.

What is done with their keys? Our projects' base learns the keys of funds, so that orders are sealed for them; our fund
learns who decides elsewhere and where funds are paid (`service.tell_house`). What counts of it is theirs to say.

What is lost with these tables? Nothing that does not come again from the hub; `told_cards` says what our bases were told,
and they pass over what they hear twice.
"""
