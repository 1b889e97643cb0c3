"""The sequencer: members' slips in, outcomes out, rights positions moved.

One page of the hub's book takes many envelopes. For each new slip it decides with the pure rule of
`protocol.clearing`, notes the decision in the national log, moves positions and tells who must know: the sender its
verdict, the receiver the slip itself (when it calls: that is the hand-over), the issuer that its rights moved.

What may happen twice? Anything: a slip is known by its place in its author's log, and taken once.
"""
