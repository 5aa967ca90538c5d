"""What is kept of frames that come before their document is open."""

from parvis.server.dialects.early import Early
from parvis.server.limits import FRAME_COST, Limits

LIMITS = Limits(unproven_early=3 * FRAME_COST, early_bytes=6 * FRAME_COST)


def test_frames_come_out_once_by_address_and_in_order() -> None:
    early: Early[str] = Early(LIMITS)
    for frame, address in [("a1", "a"), ("b1", "b"), ("a2", "a")]:
        assert early.keep(frame, 0, proven=True, address=address)
    assert early.release("a") == ["a1", "a2"]
    assert early.release("a") is None
    assert early.release("b") == ["b1"]


def test_an_expected_address_is_open_though_nothing_came_for_it() -> None:
    early: Early[str] = Early(LIMITS)
    early.expect("a")
    assert ("a" in early, "b" in early, len(early)) == (True, False, 1)
    assert early.release("a") == []


def test_all_addresses_share_the_bytes_and_what_is_released_frees_its_own() -> None:
    early: Early[str] = Early(LIMITS)
    assert all(early.keep("x", 0, proven=False, address=address) for address in "abc")
    early.release("a")
    assert early.keep("x", 0, proven=False, address="d")
    assert not early.keep("x", 0, proven=False, address="e")


def test_more_is_kept_for_who_has_shown_who_they_are() -> None:
    early: Early[str] = Early(LIMITS)
    assert early.keep("x", 4 * FRAME_COST, proven=True)
    assert not early.keep("x", 0, proven=False)


def test_frames_for_one_address_are_counted() -> None:
    early: Early[str] = Early(LIMITS, frames=1)
    assert early.keep("x", 0, proven=True, address="a")
    assert early.keep("x", 0, proven=True, address="b")
    assert not early.keep("x", 0, proven=True, address="a")
