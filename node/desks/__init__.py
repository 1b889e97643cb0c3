"""The desks of a territory: what people and programs meet, one folder for each base.

How is a desk made? `…_commands.py` reads what a person typed, `…_api.py` what a program sent (`…_requests.py` are its
words), and both ask the rooms; `…_admin_commands.py` answers a command in the process that holds the base's book;
`…_answers.py` is what is told; `…_steps.py` describes the doors that run the same commands (`node/doors`). No rule of
money, of a vote or of a right stands here: a desk only reads, asks and tells.

Who knows the desks? What lies beside them in `node/`: the apps that wire a base, the API, the commands. A room never does,
nor do the doors (`node/doors`), which are described by a desk's steps and handed them.
"""
