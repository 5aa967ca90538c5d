"""Is the program whole: Python, libraries, settings, room types, web app, the way for letters?"""

import platform
import sys
from collections.abc import AsyncIterator
from importlib import import_module
from importlib.metadata import version

from parvis.plugins import Refused

from ..commands.output import CommandError
from ..commands.serving import check
from ..hosting.registry import installed
from ..mail import carrier_of
from ..pages import is_built
from ..settings import SettingsInvalid
from .examination import Examination
from .finding import Finding, fail, judged, ok


async def look(case: Examination) -> AsyncIterator[Finding]:
    """Look at the program itself."""
    yield judged(
        sys.version_info >= (3, 11),
        "python",
        f"{platform.python_implementation()} {platform.python_version()}",
        "Parvis needs Python 3.11 or newer.",
    )
    yield _crdt()
    yield _settings(case)
    for finding in _room_types(case):
        yield finding
    built = is_built()
    detail = "built" if built else "not built"
    yield judged(built, "web app", detail, "Run make setup in the checkout.")
    yield await _mail(case)


def _crdt() -> Finding:
    try:
        from pycrdt import Doc, Text

        one: Doc[Text] = Doc()
        one["text"] = Text("parvis")
        other: Doc[Text] = Doc()
        other.apply_update(one.get_update())
        works = str(other.get("text", type=Text)) == "parvis"
    except Exception as error:
        return fail("pycrdt", str(error), "Install Parvis again, with its constraints.")
    return judged(works, "pycrdt", version("pycrdt"), "Install Parvis again.")


def _settings(case: Examination) -> Finding:
    try:
        types = installed(case.settings)
        check(case.settings)
    except SettingsInvalid as error:
        return fail("settings", str(error), "parvis config list shows what is accepted.")
    except CommandError as error:
        return fail("settings", str(error), error.hint)
    names = ", ".join(kind.name for kind in types)
    return judged(bool(names), "settings", f"room types: {names or 'none'}", "Install a room type.")


def _room_types(case: Examination) -> list[Finding]:
    """Look at what the room types need, as they say themselves."""
    try:
        types = installed(case.settings)
    except SettingsInvalid:
        return []  # and that was said
    found: list[Finding] = []
    for kind in types:
        for name, place in kind.checks.items():
            module, _, function = place.partition(":")
            try:
                found.append(ok(name, getattr(import_module(module), function)()))
            except Refused as problem:
                found.append(fail(name, problem.reason))
    return found


async def _mail(case: Examination) -> Finding:
    carrier = carrier_of(case.settings, case.settings.data, case.clock)
    hint = "parvis mail test EMAIL sends a letter; mail.security says how the way is protected."
    try:
        return ok("mail", await carrier.look())
    except OSError as error:
        return fail("mail", f"{case.settings.mail.host}: {error}", hint)
    finally:
        carrier.close()
