"""Mutation: small wrong changes to the product, each of which a test must notice.

Why a tool of our own? Mutants here are made of the syntax tree and put in place while a module is imported, in a
child that was forked with every library already loaded: nothing is copied, and what tools that rewrite functions leave
out is changed too, tables of states, bounds of wire fields, decorated functions. It is two hundred lines.

`mutants.py` says what is changed (pure), `engine.py` runs tests against each change, `scripts/mutate` asks for it.
`survivors.toml` explains, in one line each, the mutants that no test can or need kill; `test_survivors.py` holds that
each of them still is a mutant of the code.
"""
