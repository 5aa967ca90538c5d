import asyncio
import io
import json
import logging
from collections.abc import Iterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from parvis.server import logs
from parvis.server.settings import LogSettings

logger = logging.getLogger("parvis.test_logs")


@pytest.fixture(autouse=True)
def _own_handlers() -> Iterator[None]:  # pyright: ignore[reportUnusedFunction]  pytest uses it
    """Give the root logger back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


def configured(settings: LogSettings) -> io.StringIO:
    stream = io.StringIO()
    logs.configure(settings, stream)
    return stream


def test_json_logs_are_one_object_per_line() -> None:
    stream = configured(LogSettings(format="json"))
    logger.info("%s: %d updates not logged", "plain/a", 3)
    logger.warning("two\nlines", extra={"session": "s1", "offset": 7})
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert first.pop("time").endswith("Z")
    assert first == {
        "level": "info",
        "logger": "parvis.test_logs",
        "message": "plain/a: 3 updates not logged",
    }
    assert second.pop("time")
    assert second == {
        "level": "warning",
        "logger": "parvis.test_logs",
        "message": "two\nlines",
        "session": "s1",
        "offset": 7,
    }


def test_an_extra_cannot_pose_as_the_message() -> None:
    stream = configured(LogSettings(format="json"))
    logger.info("the truth", extra={"level": "debug", "logger": "x", "error": "none"})
    line = json.loads(stream.getvalue())
    assert (line["level"], line["logger"]) == ("info", "parvis.test_logs")


def test_text_logs_are_for_people() -> None:
    stream = configured(LogSettings(format="text"))
    logger.warning("slow", extra={"session": "s1"})
    assert stream.getvalue().endswith(" WARNING slow session=s1\n")


def test_what_is_below_the_level_is_left_out() -> None:
    stream = configured(LogSettings(level="warning"))
    logger.info("quiet")
    logger.error("loud")
    assert "quiet" not in stream.getvalue()
    assert "loud" in stream.getvalue()


def test_configuring_again_replaces_and_does_not_double() -> None:
    first = configured(LogSettings())
    second = configured(LogSettings())
    logger.info("once")
    assert first.getvalue() == ""
    assert second.getvalue().count("once") == 1


@pytest.mark.parametrize("format", ["json", "text"])
def test_exceptions_come_with_their_traceback(format: str) -> None:
    stream = configured(LogSettings(format="json" if format == "json" else "text"))
    try:
        raise RuntimeError("GET /yjs/plain/a?token=abc.def")
    except RuntimeError:
        logger.exception("it failed")
    text = stream.getvalue()
    assert "Traceback" in text
    assert "RuntimeError" in text
    assert "abc.def" not in text


async def test_ids_reach_whatever_is_logged_inside_also_in_tasks() -> None:
    stream = configured(LogSettings(format="json"))

    async def work() -> None:
        logger.info("in a task")

    with logs.ids(request="r1"):
        task = asyncio.create_task(work())
        with logs.ids(room="plain/a"):
            logger.info("inside")
    await task
    logger.info("outside")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    ids = [(line["message"], line.get("request"), line.get("room")) for line in lines]
    assert ids == [
        ("inside", "r1", "plain/a"),
        ("in a task", "r1", None),
        ("outside", None, None),
    ]


@pytest.mark.parametrize(
    ("said", "logged"),
    [
        ("GET /ws?ticket=s3cret HTTP/1.1", "GET /ws?ticket=… HTTP/1.1"),
        ("GET /yjs/plain/a?x=1&token=eyJ.a-b_c.d&y=2", "GET /yjs/plain/a?x=1&token=…&y=2"),
        ("Token=abc", "Token=…"),
        ("access_token=abc&refresh_token=def", "access_token=…&refresh_token=…"),
        ("token%3Dabc", "token%3D…"),
        ("password='hunter2'", "password='hunter2'"),
        ("password=hunter2", "password=…"),
        ("Authorization: Bearer eyJhbGciOi.x.y", "Authorization: Bearer …"),
        ("a token is missing", "a token is missing"),
        ("mytoken=visible", "mytoken=visible"),
        ("room plain/token=x", "room plain/token=…"),
    ],
)
def test_secrets_are_cut(said: str, logged: str) -> None:
    assert logs.redact(said) == logged


def test_secrets_are_cut_from_arguments_and_extras() -> None:
    for settings in (LogSettings(format="json"), LogSettings(format="text")):
        stream = configured(settings)
        logger.info("%s from %s", "GET /?token=abcd", "here", extra={"path": "/x?ticket=efgh"})
        assert "abcd" not in stream.getvalue()
        assert "efgh" not in stream.getvalue()
        assert "from here" in stream.getvalue()


def test_nobody_can_write_lines_of_their_own_into_text_logs() -> None:
    stream = configured(LogSettings(format="text"))
    try:
        raise RuntimeError("bad\n2026-01-01T00:00:00.000Z INFO    all is well\x1b[2J")
    except RuntimeError:
        logger.exception("room %s", "a\nb\r\x1b\u2028c", extra={"session": "s\n1"})
    first, *others = stream.getvalue().splitlines()
    assert first.endswith(r" ERROR   room a\nb\r\x1b\u2028c session=s\n1")
    assert all(line.startswith("    ") for line in others)
    assert any("all is well\\x1b[2J" in line for line in others)


@pytest.mark.parametrize(("level", "count"), [("info", 0), ("debug", 1)])
async def test_requests_that_are_no_http_are_not_worth_an_error(level: str, count: int) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    app.router.add_get("/", answer)
    async with TestServer(app) as server:
        stream = configured(LogSettings(format="json", level="debug" if count else "info"))
        port = URL(str(server.make_url("/"))).port
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: here\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.0 400")
        await reader.read()
        writer.close()
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    lines = [line for line in lines if line["logger"] == "aiohttp.server"]
    assert [line["level"] for line in lines] == ["debug"] * count
    assert not any("error" in line for line in lines)
