"""The doors of a base: what its commands do over the socket, done over HTTP by whoever shows a key of that base.

Which rule decides? The command's. A *step* (`steps`) names a command, what it is asked and what it answers as structs, and
whose duty it is; `steps_api` reads the one, runs the very function that the socket runs, and writes the other. There is no
second copy of a rule, and the OpenAPI document is made from the same structs.

Who may? Who shows a key (`keys_service`) with one of the step's duties. Where a key is bound to a company, the step says by
which field one knows whose thing is asked for, and another company's is as unknown as one that is not there.

What has no door? What makes keys, names who signs or decides, recovers a base, or reads all of it: the base's own commands and `node house`, on the machine itself. Each base's table of steps lists them with the reason; a test holds that
every command is in one list or the other (docs/decisions/0030).

What ends a key? A person on the machine, or the people's base, which tells that a duty is over: then the keys of its officer that
were made before hold no more (`endings`, docs/decisions/0043).

The table of keys lies in each base's own book (`tables`); nothing here imports a base.
"""
