"""The TypeScript client's own tests and type check, as its developers run them."""

from tests.js.conftest import npm


def test_its_own_tests_pass() -> None:
    said = npm("test")
    assert "passed" in said
    assert "skipped" not in said


def test_its_types_check() -> None:
    npm("lint")
