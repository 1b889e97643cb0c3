"""Hub and nodes as processes, under load, killed at instants that dice choose; then every answer is asked for again.

What is real? The product's own processes with their books, keys and sockets; callers that speak HTTP alone; SIGKILL, to
one party or two, at work and while they start; on PostgreSQL also sessions cut, a backend killed, the server stopped.

What must be true? What a caller was told stands, once, whatever died since; who asks again under the same id gets the
same answer; each cession has one end on both sides; what was issued is held, to the cent; no `check` has a finding; no
log names a bug of ours.

Where is what? `oracle` is what was told and what follows from it (pure, and shares no code with the product); `callers`
ask, `processes` start again what ended, `killer` strikes, `harness` runs the story and reads what everybody shows.
"""
