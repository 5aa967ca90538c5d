"""100 people in one document, 10 of them writing: how soon is what one types in a browser seen?

    python -m benchmarks.browser.crowd [--guests 100] [--writers 10] [--rate 1.5] [--seconds 20]

*Echo* is the time from a key's event in the browser until another client has read the character out
of its copy of the document; every key is a character of its own. *Ack* is the time from the same
event until the browser has the acknowledgement of the update that carries it. Chromium and this
process read one clock.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
from typing import Any

from benchmarks.browser.chromium import options, play, run
from benchmarks.browser.guests import Guest, Watcher, write
from benchmarks.browser.site import Api, Site, api
from benchmarks.documents import document
from benchmarks.measure import Figures, percentiles

from parvis.plugins.docs.schema import content_of
from parvis.protocol import decode, decode_from_server
from parvis.protocol.messages import Ack, Update


async def measure(site: Site, arguments: argparse.Namespace) -> Figures:
    """Return the figures of one run."""
    async with api(site) as calls:
        key = await calls.make("A crowd", "json", json.dumps(_content(arguments)))
        tokens = await _tokens(calls, key, arguments.guests)
    watching = max(1, min(arguments.watchers, arguments.guests - arguments.writers))
    guests: list[Guest] = [Guest(1 + at) for at in range(arguments.guests - watching)]
    watchers = [Watcher(1 + len(guests) + at, 0) for at in range(watching)]
    everyone = [*guests, *watchers]
    for guest, token in zip(everyone, tokens, strict=True):
        await guest.come(site.target.url, f"docs/{key}", token)
    writing: list[asyncio.Task[None]] = []
    cpu: list[float] = []

    async def begin(_: Any) -> None:
        writers = guests[: arguments.writers]
        writing.append(asyncio.create_task(write(writers, everyone, arguments.rate)))
        cpu.append(site.target.cpu())

    async def end(_: Any) -> None:
        cpu.append(site.target.cpu())
        writing[0].cancel()
        await asyncio.sleep(1)

    settings = {
        "key": key,
        "seconds": arguments.seconds,
        "rate": arguments.keys,
        "warmUp": arguments.warm_up,
    }
    found = await play("crowd", site, settings, {"begin": begin, "end": end})
    for guest in everyone:
        guest.go()
    texts = {watcher.text for watcher in watchers}
    if texts != {found["text"]}:
        raise SystemExit(f"they read different texts: {texts} and {found['text']}")
    return _figures(found, everyone, watchers) | {"server CPU s": round(cpu[1] - cpu[0], 2)}


def _figures(found: Any, everyone: list[Guest], watchers: list[Watcher]) -> Figures:
    pressed = {
        mark: found["began"] + key["at"] / 1000
        for mark, key in zip(found["marks"], found["keys"], strict=True)
    }
    echo = [each.seen[mark] - at for each in watchers for mark, at in pressed.items()]
    acked = _acks(found["frames"], pressed)
    long = [frame["ms"] for frame in found["long"]]
    return {
        "chromium": found["version"],
        "keys": len(pressed),
        "carets shown": found["people"],
        "echo ms": percentiles(echo),
        "ack ms": percentiles([acked[mark] - at for mark, at in pressed.items()]),
        "keystroke to paint ms": percentiles(
            [(key["shown"] - key["at"]) / 1000 for key in found["keys"]]
        ),
        "time between frames ms": percentiles([gap / 1000 for gap in found["gaps"]]),
        "frames of 50 ms or more": {
            "count": len(long),
            "longest ms": round(max(long, default=0), 1),
        },
        "main thread, share busy": {
            kind: round(seconds / (found["keys"][-1]["shown"] - found["keys"][0]["at"]) * 1000, 3)
            for kind, seconds in found["spent"].items()
        },
        "guests' ack ms": percentiles([ack for guest in everyone for ack in guest.acks]),
        "updates heard by each guest": round(sum(each.heard for each in everyone) / len(everyone)),
    }


def _acks(frames: list[dict[str, Any]], pressed: dict[str, float]) -> dict[str, float]:
    """When the browser had the ack of the update with each character."""
    acked: dict[str, float] = {}
    waiting: dict[tuple[int, int], list[str]] = {}
    left = dict(pressed)
    for frame in sorted(frames, key=lambda frame: float(frame["at"])):
        payload = base64.b64decode(frame["payload"])
        if frame["sent"]:
            message = decode(payload)
            if isinstance(message, Update):
                sent = [
                    mark
                    for mark, at in left.items()
                    if at <= frame["at"] and mark.encode() in message.update
                ]
                waiting[message.channel, message.ref] = sent
                for mark in sent:
                    del left[mark]
            continue
        answer = decode_from_server(payload)
        if isinstance(answer, Ack):
            for mark in waiting.pop((answer.channel, answer.ref), []):
                acked[mark] = frame["at"]
    return acked


def _content(arguments: argparse.Namespace) -> dict[str, Any]:
    """Ada's paragraph, one for each guest, and below them a text of some length."""
    rows = ["Here writes Ada.", *(f"Guest {at}: " for at in range(arguments.guests))]
    blocks = [{"type": "paragraph", "content": [{"type": "text", "text": row}]} for row in rows]
    return {"type": "doc", "content": [*blocks, *content_of(document(arguments.words))]}


async def _tokens(calls: Api, key: str, count: int) -> list[str]:
    """Share the document by a link, and open it so many times; return the guests' tokens."""
    made = await calls.call("POST", f"docs/documents/{key}/links", {"role": "editor"})
    secret = made["link"]["secret"]
    return [str((await calls.enter(key, secret, f"Guest {at}"))["token"]) for at in range(count)]


def main(argv: list[str] | None = None) -> Figures:
    """Run it as the command line says."""
    parser = options(__doc__ or "")
    parser.add_argument("--guests", type=int, default=100, help="clients beside the browser")
    parser.add_argument("--writers", type=int, default=10, help="of the guests")
    parser.add_argument("--watchers", type=int, default=5, help="guests who read what is typed")
    parser.add_argument("--rate", type=float, default=1.5, help="edits per second and writer")
    parser.add_argument("--keys", type=float, default=8, help="keys per second in the browser")
    parser.add_argument("--words", type=int, default=3_000, help="of the text below")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--warm-up", type=float, default=5, help="seconds")
    arguments = parser.parse_args(argv)
    if arguments.short:
        arguments.guests, arguments.writers, arguments.watchers = 10, 3, 2
        arguments.seconds, arguments.warm_up, arguments.words = 2, 1, 500
    return run("browser-crowd", measure, arguments)


if __name__ == "__main__":
    main()
