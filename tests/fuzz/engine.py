"""Targets one after the other, each in a child of its own: `python -m tests.fuzz.engine TARGET… --seconds 5 --work DIR`.

With atheris: our packages are instrumented while they are imported, and libFuzzer drives; its words are DIR/TARGET/log.
Without: inputs of the corpus are mutated by a seeded generator, blind to coverage, under the same limits.
A third way, `TARGET --replay FILE…`, runs the target on those files and nothing else; exit 0 if all of them pass.

Exit 0: nothing found. Otherwise a crasher stands in DIR/TARGET (crash-…, timeout-…, oom-…).
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import importlib.util
import json
import os
import random
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from tests.fuzz.mutations import mutate_bytes, mutate_value

CORPUS: Final = Path(__file__).with_name("corpus")
PACKAGES: Final = ("protocol", "node", "hub", "tests.fuzz.targets", "tests.fuzz.served", "tests.fuzz.national_files")
INPUT_SECONDS: Final = 10
RSS_MB: Final = 1_024
FOUND: Final = 77

Run = Callable[[bytes], None]


class TooSlow(Exception):
    """An input took longer than INPUT_SECONDS."""


def has_atheris() -> bool:
    """Tell whether coverage can guide us here."""
    return importlib.util.find_spec("atheris") is not None


def load_run(name: str, plant: str) -> tuple[Run, int]:
    """Return the target's function, ready, and how long its inputs may be. `plant` is `module:function`, called first."""
    targets = importlib.import_module("tests.fuzz.targets")
    if plant:
        module, _, function = plant.partition(":")
        getattr(importlib.import_module(module), function)()
    target = targets.TARGETS[name]
    return target.prepare(), target.bytes_max


def replay(run: Run, files: Sequence[Path]) -> int:
    """Run the target on files; return an exit code."""
    for file in files:
        try:
            run(file.read_bytes())
        except Exception:
            traceback.print_exc()
            print(f"{file}: found again", file=sys.stderr)
            return FOUND
    return 0


def keep(artifacts: Path, data: bytes, error: Exception) -> None:
    """Write a crasher: libFuzzer writes its own only where Python's exception ends the process."""
    kind = {TooSlow: "timeout", MemoryError: "oom"}.get(type(error), "crash")
    file = artifacts / f"{kind}-{hashlib.sha256(data).hexdigest()[:16]}"
    file.write_bytes(data)
    print(f"kept as {file}", file=sys.stderr, flush=True)


def load_instrumented() -> None:
    """Import all that the targets need, with counters in our own packages."""
    import atheris

    with atheris.instrument_imports(include=list(PACKAGES)):
        importlib.import_module("tests.fuzz.targets")
        importlib.import_module("tests.fuzz.served")
        importlib.import_module("tests.fuzz.national_files")


def fuzz_guided(name: str, plant: str, artifacts: Path, options: Sequence[str]) -> None:
    """Fuzz under atheris; it ends the process itself."""
    import atheris

    run, bytes_max = load_run(name, plant)

    def mutate(data: bytes, size_max: int, seed: int) -> bytes:
        """Half of the changes are libFuzzer's own, to the bytes; half are to the value that they are."""
        changed = mutate_value(random.Random(seed), data) if seed & 1 else None
        if changed is None or len(changed) > size_max:
            return bytes(atheris.Mutate(data, size_max))
        return changed

    def run_and_keep(data: bytes) -> None:
        try:
            run(data)
        except Exception as error:
            keep(artifacts, data, error)
            raise

    limits = [f"-max_len={bytes_max}", f"-timeout={INPUT_SECONDS}", f"-rss_limit_mb={RSS_MB}"]
    atheris.Setup([name, *limits, "-print_final_stats=1", *options], run_and_keep, custom_mutator=mutate)
    atheris.Fuzz()


def _next(dice: random.Random, inputs: Sequence[bytes]) -> bytes:
    """Return the next input of a blind run: a changed value as often as changed bytes."""
    changed = mutate_value(dice, dice.choice(inputs)) if dice.random() < 0.5 else None
    return mutate_bytes(dice, inputs) if changed is None else changed


def fuzz_blindly(
    run: Run, bytes_max: int, seconds: float, runs_max: int, seed: int, corpus: Sequence[bytes], artifacts: Path
) -> int:
    """Mutate the corpus until the time is over or something is found; return an exit code."""

    def stop(*_: object) -> None:
        raise TooSlow

    signal.signal(signal.SIGALRM, stop)
    dice = random.Random(seed)
    end, runs = time.monotonic() + seconds, 0
    inputs = list(corpus) or [b""]
    queue = list(inputs)  # the corpus itself comes first
    while (time.monotonic() < end and runs != runs_max) or queue:
        data = queue.pop() if queue else _next(dice, inputs)[:bytes_max]
        signal.alarm(INPUT_SECONDS)
        try:
            run(data)
            if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > RSS_MB * 1024:
                raise MemoryError(f"more than {RSS_MB} MB")
        except Exception as error:
            keep(artifacts, data, error)
            traceback.print_exc()
            return FOUND
        finally:
            signal.alarm(0)
        runs += 1
    print(f"stat::number_of_executed_units: {runs}", file=sys.stderr)
    return 0


def fuzz(target: str, asked: Any, *, is_guided: bool) -> int:
    """Fuzz one target in this process, which atheris ends; return an exit code where it does not."""
    corpus = [asked.work / target / "corpus", CORPUS / target]
    artifacts = asked.work / target
    corpus[0].mkdir(parents=True, exist_ok=True)
    if is_guided:
        fuzz_guided(
            target,
            asked.plant,
            artifacts,
            [
                f"-max_total_time={asked.seconds}",
                f"-runs={asked.runs}",
                f"-seed={asked.seed}",
                f"-artifact_prefix={artifacts}/",
                *map(str, corpus),
            ],
        )
    run, bytes_max = load_run(target, asked.plant)
    inputs = [file.read_bytes() for folder in corpus for file in sorted(folder.iterdir())]
    return fuzz_blindly(run, bytes_max, asked.seconds, asked.runs, asked.seed, inputs, artifacts)


def fork(target: str, asked: Any, *, is_guided: bool) -> int:
    """Fuzz one target in a child: what was imported, and instrumented, is so once for all of them."""
    folder = asked.work / target
    folder.mkdir(parents=True, exist_ok=True)
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = FOUND
    try:
        with open(folder / "log", "wb") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        code = fuzz(target, asked, is_guided=is_guided)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def main(arguments: Sequence[str]) -> int:
    """Run targets one after the other, each told in one line of JSON; exit 77 where one of them found something."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="+")
    parser.add_argument("--seconds", type=int, default=5, help="for each target")
    parser.add_argument("--runs", type=int, default=-1, help="for each target, if its seconds are not over before")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", type=Path, help="what grows: TARGET/corpus, TARGET/log, TARGET/crash-…")
    parser.add_argument("--blind", action="store_true", help="mutate without coverage, as where atheris is missing")
    parser.add_argument("--plant", default="", help="module:function that breaks the product, for tests of the fuzzer")
    parser.add_argument("--replay", type=Path, nargs="+", default=[])
    asked: Any = parser.parse_args(arguments)
    if asked.replay:
        run, _ = load_run(asked.targets[0], asked.plant)
        return replay(run, asked.replay)
    is_guided = has_atheris() and not asked.blind
    if is_guided:
        load_instrumented()
    codes = []
    for target in asked.targets:
        started = time.monotonic()
        codes.append(fork(target, asked, is_guided=is_guided))
        told = {
            "target": target,
            "guided": is_guided,
            "code": codes[-1],
            "seconds": round(time.monotonic() - started, 1),
        }
        print(json.dumps(told), flush=True)
    return max(codes, key=abs)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
