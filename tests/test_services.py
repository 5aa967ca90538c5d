"""The real parts the tests rest on: PostgreSQL, Redis, Chromium."""

import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.services import Postgres, Redis, ServiceError, program, start_redis, started

REPOSITORY = Path(__file__).parents[1]


def talk(server: Redis, line: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(line + b"\r\n")
        return connection.recv(4096)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_postgres_answers_sql(postgres: Postgres) -> None:
    assert postgres.execute("SELECT 6 * 7, current_user") == "42|postgres"


def test_each_test_gets_an_empty_database_that_is_dropped_with_its_connections(
    postgres: Postgres,
) -> None:
    with postgres.database() as first, postgres.database() as second:
        postgres.execute("CREATE TABLE notes (words text)", first)
        with pytest.raises(ServiceError, match='relation "notes" does not exist'):
            postgres.execute("SELECT * FROM notes", second)
    left = postgres.execute("SELECT datname FROM pg_database WHERE datname LIKE 'test_%'")
    assert left == ""


def test_redis_answers_and_is_new_enough_for_sharded_pubsub(redis: Redis) -> None:
    assert talk(redis, b"PING") == b"+PONG\r\n"
    assert talk(redis, b"SPUBLISH news hello") == b":0\r\n"


def test_a_redis_of_ones_own_shares_nothing_with_the_common_one(redis: Redis) -> None:
    with start_redis() as own:
        assert own.port != redis.port
        assert talk(own, b"SET colour blue") == b"+OK\r\n"
        assert talk(redis, b"EXISTS colour") == b":0\r\n"
    assert not is_alive(own.pid)


def test_a_service_ends_when_its_test_fails() -> None:
    with pytest.raises(ZeroDivisionError), start_redis() as own:
        raise ZeroDivisionError
    assert not is_alive(own.pid)


def test_a_service_ends_when_the_process_that_started_it_is_killed(tmp_path: Path) -> None:
    code = """if True:
        from tests.services import start_redis
        with start_redis() as own:
            print(own.pid, flush=True)
            input()
    """
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as starter:
        assert starter.stdout is not None
        service = os.pidfd_open(int(starter.stdout.readline()))
        starter.kill()
        ended, _, _ = select.select([service], [], [], 30)
    os.close(service)
    assert ended == [service]


def test_a_service_that_dies_at_once_says_why() -> None:
    argv = ["/bin/sh", "-c", "echo the disk is on fire >&2; exit 3"]
    with (
        pytest.raises(ServiceError, match="the disk is on fire"),
        started(argv, ready="never", stop=signal.SIGTERM),
    ):
        raise AssertionError("it never became ready")


def test_a_missing_program_names_the_package_that_brings_it() -> None:
    with pytest.raises(ServiceError, match="apt-get install redis-server"):
        program("no-such-redis-server", "redis-server")


def test_chromium_renders_a_page(chromium: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<p id=answer></p><script>answer.textContent = 6 * 7</script>")
    argv = [str(chromium), "--headless=new", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    argv += [f"--user-data-dir={tmp_path / 'profile'}", page.as_uri()]
    done = subprocess.run(argv, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert '<p id="answer">42</p>' in done.stdout, done.stderr
