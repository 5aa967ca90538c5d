"""Documents long enough to be drawn in sections."""

from tests.browser.conftest import RunInBrowser
from tests.running import Server


def test_a_long_document_is_written_like_a_short_one(
    run_in_browser: RunInBrowser, node: Server
) -> None:
    def seen(blocks: int, at: str) -> dict[str, object]:
        return {"inPlace": True, "blocks": blocks, "at": at, "isSeen": True}

    result = run_in_browser("docs-long", "written", node)
    assert result == {
        "seen": {
            "start": seen(400, "First. Line 0."),
            "end": seen(400, "Line 399. Last."),
            "lines": seen(470, "new 69"),
            "up": seen(470, "Line 399. Last."),
            "joined": seen(469, "Line 399. Last.new 0"),
            "all": seen(470, "new 69!"),
            "pasted": seen(569, "pasted 99|First. Line 0."),
            "emptied": seen(1, "Nothing else."),
        },
        "errors": [],
    }
