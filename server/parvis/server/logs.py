"""What the node says about itself: one JSON object, or one line of text, per event on stderr."""

import contextvars
import datetime
import json
import logging
import re
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TextIO

from parvis.server.settings import LogSettings

SECRETS: Final = re.compile(
    r"""
    (?P<name> (?<![a-z0-9_]) (?: (?:access|refresh|id)_token | token | ticket | password | code )
        (?: =+ | %3D ) )
    [^&\s"'<>;,)]+
    | (?P<scheme> \b(?:Bearer|Basic)\s+ ) [A-Za-z0-9._~+/=-]{8,}
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""Query values and headers that open doors."""

CONTROLS: Final = {
    code: repr(chr(code))[1:-1] for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)
}
"""What could end a line, or drive a terminal, and how it is shown instead."""

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What every record has; anything beyond it was given as `extra` and is an id to show."""

_ids: contextvars.ContextVar[Mapping[str, str]] = contextvars.ContextVar("parvis_log_ids")


def configure(settings: LogSettings, stream: TextIO | None = None) -> None:
    """Send everything from the wanted level on to a stream, in the wanted format.

    Args:
        stream: Standard error if it is None.
    """
    # A process without a terminal of any kind has no standard error either.
    stream = stream or sys.stderr
    format = settings.format
    if format == "auto":
        format = "text" if stream is not None and stream.isatty() else "json"
    handler = logging.StreamHandler(stream)
    handler.setFormatter(FORMATS[format]())
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(settings.level.upper())
    logging.captureWarnings(True)
    logging.getLogger("aiohttp.server").addFilter(quieten)


@contextmanager
def ids(**ids: str) -> Generator[None]:
    """Add ids, such as ``request``, to whatever is logged inside, also by tasks started there."""
    token = _ids.set({**_ids.get({}), **ids})
    try:
        yield
    finally:
        _ids.reset(token)


def redact(text: str) -> str:
    """Cut the values of tokens, tickets and passwords out of a text."""
    return SECRETS.sub(_cut, text)


def _cut(match: re.Match[str]) -> str:
    return f"{match['name'] or match['scheme']}…"


def quieten(record: logging.LogRecord) -> bool:
    """Let through what aiohttp says of requests that are no HTTP only to who looks for trouble.

    Anybody can send such requests, and it would log an error with a traceback for each.
    """
    error = record.exc_info[1] if record.exc_info else None
    # By name: the supervisor, which logs too, has no use for aiohttp.
    if type(error).__module__ != "aiohttp.http_exceptions":
        return True
    record.msg, record.args, record.exc_info = "a request is no HTTP: %s", (str(error),), None
    record.levelno, record.levelname = logging.DEBUG, "DEBUG"
    return logging.getLogger().isEnabledFor(logging.DEBUG)


class JsonFormatter(logging.Formatter):
    """One JSON object per line: time, level, logger, message, ids, error."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": _time_of(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact(record.getMessage()),
        }
        for name, value in _extra(record).items():
            line.setdefault(name, redact(value) if isinstance(value, str) else value)
        if error := _error_of(self, record):
            line["error"] = redact(error)
        return json.dumps(line, ensure_ascii=False, default=lambda value: redact(str(value)))


class TextFormatter(logging.Formatter):
    """Time, level, message and ids for a person at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        named = "".join(f" {name}={value}" for name, value in _extra(record).items())
        line = f"{_time_of(record)} {record.levelname:<7} {record.getMessage()}{named}"
        lines = [line, *_error_of(self, record).split("\n")]
        # Indented, so that no part of an exception's text can pose as a line of its own.
        return redact("\n    ".join(each.translate(CONTROLS) for each in lines).rstrip())


FORMATS: Final[Mapping[str, type[logging.Formatter]]] = {
    "json": JsonFormatter,
    "text": TextFormatter,
}


def _time_of(record: logging.LogRecord) -> str:
    moment = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _extra(record: logging.LogRecord) -> dict[str, object]:
    extra = {name: value for name, value in vars(record).items() if name not in _STANDARD}
    return {**_ids.get({}), **extra}


def _error_of(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    parts: list[str] = []
    if record.exc_info:
        parts.append(formatter.formatException(record.exc_info))
    elif record.exc_text:
        parts.append(record.exc_text)
    if record.stack_info:
        parts.append(record.stack_info)
    return "\n".join(parts)
