"""What a node reads where a hub answers with anything but an envelope."""

from __future__ import annotations

import pytest

from protocol.exchange.client import HubRefused, HubUnreachable, _refusal_of


def test_a_refusal_of_the_hub_is_told_with_its_code_and_reason() -> None:
    refusal = _refusal_of(400, b'{"code": "bad_envelope", "facts": {"reason": "wrong_reader"}, "explanation": "no"}')
    assert isinstance(refusal, HubRefused)
    assert refusal.facts == {"hub_code": "bad_envelope", "reason": "wrong_reader", "status": 400}


@pytest.mark.parametrize("data", [b"", b"<html>", b"[]", b"5", b'{"facts": {}}', b"\xff", b'{"code": "x", "facts": 5}'])
def test_an_answer_that_is_no_refusal_of_ours_is_no_answer(data: bytes) -> None:
    assert isinstance(_refusal_of(502, data), HubUnreachable)


@pytest.mark.parametrize("data", [b"[" * 200_000, rb'{"code": "\ud800", "facts": {"reason": "\udfff"}}'])
def test_an_answer_that_would_stop_the_worker_or_its_log_is_no_answer(data: bytes) -> None:
    # Whatever is no Refusal ends the worker's loop: a hub could have silenced a node for good.
    refusal = _refusal_of(503, data)
    assert isinstance(refusal, HubUnreachable)
    str(refusal).encode()
