"""A chosen port is one's own: none is chosen twice, none is taken, and the system hands none of them out."""

from __future__ import annotations

import socket
from pathlib import Path

from tests.ports import choose_port


def test_ports_are_free_and_none_that_the_system_hands_out() -> None:
    handed_out = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", own := choose_port()))
        taken.listen()
        chosen = [choose_port() for _ in range(70)]  # more than one process has: it begins again, and passes by
    assert len(set(chosen[:63])) == 63
    assert own not in chosen
    assert max(chosen) < handed_out
