"""The operator's doors: what `hub window …` does on the machine, over HTTP, for whoever shows a key.

Why not where members call? Members need no key here: they sign. So the operator's doors are an application of their own, at
an address of their own (`operator` in hub.toml), and what opens one opens nothing else.

Whose is a key? An officer's, by the word that he is known by here. What he does stands in the hub's log of its process, with
his word and his key's id.

Where are keys? In files beside hub.toml, as hashes: an old copy of the base brings back no key that was ended. They are made
and ended on the machine alone.

What if an answer is lost? A window is opened and closed by its number: asked again, it is answered as before.
"""
