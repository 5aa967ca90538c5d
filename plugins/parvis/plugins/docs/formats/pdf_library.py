"""The library that makes PDF, WeasyPrint, which is an extra, and Pango, which it needs."""

from __future__ import annotations

import logging
from importlib.metadata import version
from importlib.util import find_spec

from parvis.plugins import ErrorCode, Refused


def need() -> None:
    """Load the library. Raises `Refused` if it is not installed, or Pango is not."""
    try:
        import weasyprint as weasyprint
    except ImportError as error:
        raise Refused(
            ErrorCode.REFUSED,
            "this server makes no PDF: its operator has not installed parvis[pdf]",
        ) from error
    except OSError as error:
        raise Refused(
            ErrorCode.REFUSED,
            "this server makes no PDF: its operator has not installed Pango"
            " (Debian: libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0)",
        ) from error
    logging.getLogger("weasyprint").setLevel(logging.CRITICAL)  # it names addresses of documents


def found() -> str:
    """Say for ``parvis doctor`` whether PDF can be made. Raises `Refused` if Pango is missing."""
    if find_spec("weasyprint") is None:
        return "not installed: documents are not exported as PDF; pip install 'parvis[pdf]'"
    need()
    return f"WeasyPrint {version('weasyprint')}, with Pango"
