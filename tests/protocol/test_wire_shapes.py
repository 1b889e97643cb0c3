"""What is sent has the shape that is written down: no bound, tag or order moves unseen."""

from __future__ import annotations

from tests.protocol.wire_shapes import FILE, describe


def test_the_wire_has_the_shape_that_is_written_down() -> None:
    assert describe() == FILE.read_text(), "the wire changed: see tests/protocol/wire_shapes.py"
