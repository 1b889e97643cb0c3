"""The stopwatch: what the product does in a second, beside what this machine could do at most.

Why ratios? The same code is twice as fast on another machine, and half as fast beside a busy neighbour. So each figure
is measured next to its limit, round about: limit, figure, limit, figure. What is compared is the quotient of one round;
what is told is the median of the rounds, with the least and the greatest.

What is measured? Real processes on real disks: the node and the hub as an operator runs them, over HTTP, durable. The
limits are what they could not beat: the bare driver, the bare HTTP server, the bare disk, PostgreSQL's own benchmark.

Where is what? `figures` holds the goals and the arithmetic (pure), `report` shows them; `limits` measures the machine,
`load` is the caller, `served` starts the parties. One file a family of goals: `credits`, `cessions`, `tills`, `logs`, `growth`.
`stopwatch` runs them. Source: shared design, PERFORMANCE.md, "Our goals".
"""
