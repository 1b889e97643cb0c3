"""Key files against accidents: a kill at any instant, a full disk, a folder that others write."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from protocol.running.keys_store import (
    PASSPHRASE_VARIABLE,
    KeysUnusable,
    create_keys,
    find_passphrase,
    load_keyring,
    write_private,
)

ENTROPY = bytes(range(64))
MAKER = """
import sys
from pathlib import Path
from protocol.running.clock_service import entropy
from protocol.running.keys_store import create_keys, set_current
print("ready", flush=True)
while True:
    set_current(Path(sys.argv[1]), create_keys(Path(sys.argv[1]), None, entropy(64)))
"""


def test_whenever_it_is_killed_the_keys_are_whole(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    made = 0
    for wait_ms in (0, 3, 11, 40, 40):
        process = subprocess.Popen([sys.executable, "-c", MAKER, folder], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        while wait_ms == 40 and not (folder / "current").exists():  # a busy machine makes none in 40 ms
            time.sleep(0.001)
        time.sleep(wait_ms / 1000)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        if not (folder / "current").exists():
            continue
        ring = load_keyring(folder, None)
        assert 1 + len(ring.older) >= made
        made = 1 + len(ring.older)
    assert made > 0
    load_keyring(folder, None)
    create_keys(folder, None, ENTROPY)  # what the killed process left is in nobody's way


def test_a_disk_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    write_private(file, b"before")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    for name in ("fsync", "replace"):
        with monkeypatch.context() as patched:
            patched.setattr(os, name, fail)
            with pytest.raises(OSError, match="No space"):
                write_private(file, b"after")
        assert file.read_bytes() == b"before"
        assert [one.name for one in tmp_path.iterdir()] == ["file"]


def test_a_file_is_made_private_whatever_the_umask_and_follows_no_link(tmp_path: Path) -> None:
    other = tmp_path / "somebody else's"
    other.write_bytes(b"precious")
    (tmp_path / ".out.new").symlink_to(other)
    (tmp_path / "out").symlink_to(other)
    before = os.umask(0)
    try:
        write_private(tmp_path / "out", b"ours")
    finally:
        os.umask(before)
    assert other.read_bytes() == b"precious"
    assert not (tmp_path / "out").is_symlink()
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o600


def test_an_open_folder_is_closed_to_others_when_keys_are_made(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    folder.mkdir(mode=0o755)
    create_keys(folder, None, ENTROPY)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_without_keys_or_without_the_current_ones_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(KeysUnusable, match="run init"):
        load_keyring(tmp_path, None)
    made = create_keys(tmp_path, None, ENTROPY)
    (tmp_path / f"{made.public.id.hex()}.key").unlink()
    with pytest.raises(KeysUnusable, match="are missing"):
        load_keyring(tmp_path, None)


def test_a_passphrase_is_found_in_its_file_or_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "passphrase"
    file.write_bytes(b"  from the file  \r\n")
    monkeypatch.setenv(PASSPHRASE_VARIABLE, "from the environment")
    assert find_passphrase(str(file)) == b"  from the file  "
    assert find_passphrase("") == b"from the environment"
    monkeypatch.delenv(PASSPHRASE_VARIABLE)
    assert find_passphrase("") is None
    with pytest.raises(KeysUnusable):
        find_passphrase(str(tmp_path / "missing"))


def test_keys_never_show_in_a_refusal(tmp_path: Path) -> None:
    made = create_keys(tmp_path, b"pass phrase", ENTROPY)
    file = tmp_path / f"{made.public.id.hex()}.key"
    whole = file.read_bytes()
    for damaged in (b"", b"garbage", whole[:100], whole.replace(b"A", b"B"), whole[::-1], whole + whole):
        file.write_bytes(damaged)
        for passphrase in (b"pass phrase", b"wrong", None):
            try:
                load_keyring(tmp_path, passphrase)
            except KeysUnusable as refusal:
                told = repr(refusal) + str(refusal)
                assert "pass phrase" not in told
                assert not any(line in told for line in whole.decode().splitlines() if line)


def test_a_name_of_the_current_keys_that_is_no_text_is_refused(tmp_path: Path) -> None:
    create_keys(tmp_path, None, ENTROPY)
    (tmp_path / "current").write_bytes(b"\xfa\xff")
    with pytest.raises(KeysUnusable):
        load_keyring(tmp_path, None)


@pytest.mark.parametrize("kind", [b"BQYDK3Vw", b"BQYDK2Vx"])
def test_a_key_of_another_or_of_no_kind_is_refused(kind: bytes, tmp_path: Path) -> None:
    secret = create_keys(tmp_path, None, ENTROPY)
    file = tmp_path / f"{secret.public.id.hex()}.key"
    file.write_bytes(file.read_bytes().replace(b"BQYDK2Vw", kind))  # one symbol of the algorithm's name
    with pytest.raises(KeysUnusable):
        load_keyring(tmp_path, None)
