"""Real PostgreSQL, Redis and Chromium for tests, started on free ports and ended with the tests.

Nothing here runs before somebody asks for it. A part that is not installed is an error that names
its package: a test that needs PostgreSQL never passes without one.
"""

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 30.0
OUTPUT_LINES_SHOWN: Final = 30


class ServiceError(Exception):
    """A service of the tests is not installed, or did not start; the message says what to do."""


def program(name: str, package: str, *folders: Path) -> Path:
    """The path of a program, looked for in `folders` before PATH.

    Raises:
        ServiceError: If it is not installed, with the Debian package that brings it.
    """
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    if found := shutil.which(name):
        return Path(found)
    raise ServiceError(
        f"{name} is not installed. Hint: apt-get install {package}, or run make test as root"
    )


def chromium_path() -> Path:
    """Debian's Chromium, for Playwright's `executablePath`."""
    return program("chromium", "chromium")


def free_port() -> int:
    """A TCP port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def started(
    argv: Sequence[str], *, ready: str, stop: signal.Signals, become: Sequence[str] = ()
) -> Generator[int]:
    """The process id of a child that has printed a line with `ready`; gone when the block ends.

    The child is ended by `stop`, by SIGKILL if it does not heed that within 30 s, and by the kernel
    if this process dies first.

    Raises:
        ServiceError: If it ends, or says nothing for 60 s; with its last lines.
    """
    lifeline = ["--pdeathsig", stop.name.removeprefix("SIG")]
    child = subprocess.Popen(
        [_setpriv(), *become, *lifeline, *argv],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        cwd="/",
    )
    assert child.stdout is not None
    output = _Output(child.stdout, ready)
    output.start()
    try:
        if not output.settled.wait(START_SECONDS) or not output.is_ready:
            raise ServiceError(f"{argv[0]} did not start; it said:\n{output.tail()}")
        yield child.pid
    finally:
        child.send_signal(stop)
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        output.join()
        child.stdout.close()


class _Output(threading.Thread):
    """Reads a child's output to its end, so that the child never blocks on a full pipe."""

    def __init__(self, stream: IO[str], ready: str) -> None:
        super().__init__(daemon=True)
        self.settled = threading.Event()
        self.is_ready = False
        self._stream = stream
        self._ready = ready
        self._lines: list[str] = []

    def run(self) -> None:
        for line in self._stream:
            self._lines = [*self._lines[1 - OUTPUT_LINES_SHOWN :], line]
            if self._ready in line:
                self.is_ready = True
                self.settled.set()
        self.settled.set()

    def tail(self) -> str:
        return "".join(self._lines)


@dataclass(frozen=True, slots=True)
class Redis:
    """A Redis server that keeps nothing on disk."""

    port: int
    pid: int

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"


@contextlib.contextmanager
def start_redis() -> Generator[Redis]:
    """A new Redis, empty; for a test that wants to kill or pause one of its own."""
    with tempfile.TemporaryDirectory(prefix="parvis-redis-") as folder:
        port = free_port()
        options = {
            "bind": "127.0.0.1",
            "port": str(port),
            "dir": folder,
            "save": "",
            "appendonly": "no",
        }
        argv = [str(program("redis-server", "redis-server"))]
        argv += itertools.chain.from_iterable((f"--{key}", value) for key, value in options.items())
        with started(argv, ready="Ready to accept connections", stop=signal.SIGTERM) as pid:
            yield Redis(port, pid)


@dataclass(frozen=True, slots=True)
class Postgres:
    """A PostgreSQL cluster whose superuser is `postgres`, without a password on the loopback."""

    folder: Path
    port: int
    pid: int
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def url(self, database: str = "postgres", user: str = "postgres") -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def execute(self, sql: str, database: str = "postgres") -> str:
        """What psql prints for `sql`: rows by line, columns by `|`, nothing else.

        Raises:
            ServiceError: If the server refuses it; with the server's words.
        """
        argv = [
            str(_postgres_program("psql")),
            "--no-psqlrc",
            "--quiet",
            "--tuples-only",
            "--no-align",
        ]
        argv += ["--set", "ON_ERROR_STOP=1", "--dbname", self.url(database), "--command", sql]
        done = subprocess.run(argv, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise ServiceError(done.stderr.strip())
        return done.stdout.strip()

    @contextlib.contextmanager
    def database(self, *, template: str = "template1", owner: str = "postgres") -> Generator[str]:
        """The name of a new database; dropped afterwards, whoever is still connected.

        It is empty, or a copy of `template`.
        """
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} OWNER {owner}")
        try:
            yield name
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")


@dataclass(frozen=True, slots=True)
class PostgresFolder:
    """A cluster on disk, which runs while somebody is in `running`, again and again."""

    folder: Path
    port: int
    options: Mapping[str, str]

    @contextlib.contextmanager
    def running(self) -> Generator[Postgres]:
        """The cluster, up until the block ends; then it is stopped at once, as by a crash.

        What had been committed is recovered when it runs again.
        """
        _, become = _unprivileged()
        argv = [str(_postgres_program("postgres")), "-D", str(self.folder / "data")]
        argv += itertools.chain.from_iterable(("-c", f"{k}={v}") for k, v in self.options.items())
        ready = "database system is ready to accept connections"
        with started(argv, ready=ready, stop=signal.SIGQUIT, become=become) as pid:
            yield Postgres(self.folder, self.port, pid)


@contextlib.contextmanager
def postgres_folder(*, fsync: bool = True) -> Generator[PostgresFolder]:
    """A new cluster that does not run yet.

    Args:
        fsync: Whether a commit waits for the disk. A killed process loses nothing without it;
            only a machine that loses its power does.
    """
    owner, become = _unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="parvis-postgres-"))
    try:
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        argv = [_setpriv(), *become, str(_postgres_program("initdb"))]
        argv += ["--pgdata", str(folder / "data"), "--username", "postgres", "--auth", "trust"]
        argv += ["--encoding", "UTF8", "--no-locale", *([] if fsync else ["--no-sync"])]
        made = subprocess.run(argv, capture_output=True, text=True, cwd="/")
        if made.returncode != 0:
            raise ServiceError(f"initdb failed:\n{made.stderr}")
        port = free_port()
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": str(folder),
            "fsync": "on" if fsync else "off",
            "max_connections": "200",
        }
        yield PostgresFolder(folder, port, options)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def start_postgres(*, fsync: bool = True) -> Generator[Postgres]:
    """A new cluster that runs until the block ends."""
    with postgres_folder(fsync=fsync) as cluster, cluster.running() as server:
        yield server


@dataclass(frozen=True, slots=True)
class PgBouncer:
    """A PgBouncer in transaction mode, which knows every database of one cluster."""

    port: int
    pid: int

    def url(self, database: str, user: str) -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"


@contextlib.contextmanager
def start_pgbouncer(server: Postgres, *, port: int | None = None) -> Generator[PgBouncer]:
    """A new PgBouncer before a cluster, with few connections to it, so that they are shared.

    Args:
        port: Where it listens; None: where nobody does now.
    """
    owner, become = _unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="parvis-pgbouncer-"))
    try:
        port = port or free_port()
        settings = {
            "listen_addr": "127.0.0.1",
            "listen_port": port,
            "unix_socket_dir": "",
            "auth_type": "trust",
            "auth_file": folder / "users.txt",
            "pool_mode": "transaction",
            "default_pool_size": 3,
            "server_login_retry": 0.05,
            "query_wait_timeout": 1,
            "server_idle_timeout": 5,
        }
        lines = [f"{key} = {value}" for key, value in settings.items()]
        lines = ["[pgbouncer]", *lines, "[databases]"]
        lines += [f"* = host=127.0.0.1 port={server.port}"]
        config = folder / "pgbouncer.ini"
        config.write_text("\n".join(lines) + "\n")
        users = folder / "users.txt"
        users.write_text("".join(f'"{user}" ""\n' for user in ("parvis_node", "parvis_owner")))
        for path in (folder, config, users):
            os.chown(path, owner.pw_uid, owner.pw_gid)
        argv = [str(program("pgbouncer", "pgbouncer", Path("/usr/sbin"))), str(config)]
        with started(argv, ready="process up", stop=signal.SIGTERM, become=become) as pid:
            yield PgBouncer(port, pid)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _postgres_program(name: str) -> Path:
    """Debian keeps the server's programs by version, outside PATH; the newest one wins."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda b: float(b.parent.name))
    return program(name, "postgresql", *reversed(versions))


def _unprivileged() -> tuple[pwd.struct_passwd, list[str]]:
    """Who runs PostgreSQL, which refuses to run as root, and setpriv's words for becoming them."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid()), []
    known = {user.pw_name: user for user in pwd.getpwall()}
    owner = known.get("postgres") or known["nobody"]
    ids = ["--reuid", str(owner.pw_uid), "--regid", str(owner.pw_gid), "--clear-groups"]
    return owner, ids


def _setpriv() -> str:
    return str(program("setpriv", "util-linux"))
