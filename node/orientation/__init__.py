"""Orientation: holders direct rights to projects; a room of the accounts base, which alone knows who supports what.

What is directed? Rights of lots, from an account to a project's account (`directions`: which cents of which lots, in the caller's
order, and what becomes of what a full project does not take). They come back, the very lots, until the project is committed
(`return_service`, `release_service`), also across territories, and standing orders direct a share again and again (`standing`).

What is a conversion? In rounds that the projects' base asks for (`project_service`, `conversions`): the oldest orientation first,
home lots are owed by our fund, those of others by theirs. Each right is converted once.

What goes on by itself? What a project elsewhere sends back goes to the next choice (`onward_service`); after an old copy of the
accounts, what was told of conversions is done again (`again_service`).

    values and rules   directions, projects, conversions, standing        refusals   errors
    door               service, project_service, standing_service, return_service, release_service, onward_service, books_service
    private            store, tables                                     checks     what is directed adds up
"""
