"""Every decoder that faces the outside, under a fuzzer.

What is a target? A name, what it is fed, and a function of bytes that may refuse and may do nothing else wrong: see
`targets.py`, the one table. A target raises whatever is not the declared refusal, and `NotItself` where something was
accepted that does not re-encode to itself.

Who runs them? `engine.py`, one process for each target: atheris instruments our packages while they are imported, and
the fuzzer ends its process. Where atheris cannot be imported the same engine mutates the same corpus with a seeded
generator, blind to coverage, and says so. `scripts/fuzz` runs it for as long as asked, `test_fuzz.py` for a moment.

Where is the corpus from? `corpus.py` writes it from the traffic of tests/federation/world.py: two runs give the same
files. Whatever a long run found worth keeping as a regression stands in `corpus/<target>/found-*`.
"""
