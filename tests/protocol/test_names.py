"""Room names, SPEC.md section 3."""

import pytest
from hypothesis import given, strategies as st

from parvis.protocol import InvalidName, RoomName, parse_name, room_type


def test_a_name_is_a_type_and_a_key() -> None:
    assert parse_name("plain/notes") == RoomName("plain", "notes")


def test_a_key_may_contain_slashes_and_any_script() -> None:
    assert parse_name("plain/équipe/計画 1").key == "équipe/計画 1"


def test_a_colon_belongs_to_the_key_where_the_type_has_no_parts() -> None:
    assert parse_name("plain/doc:1") == RoomName("plain", "doc:1")


def test_the_last_colon_splits_off_a_part_where_the_type_has_parts() -> None:
    name = parse_name("docs/a:b:comments", {"comments", "meta"})
    assert name == RoomName("docs", "a:b", "comments")
    assert (name.room, str(name)) == ("docs/a:b", "docs/a:b:comments")


def test_a_part_that_is_not_declared_is_refused() -> None:
    with pytest.raises(InvalidName, match="rooms have the parts"):
        parse_name("docs/a:secret", {"comments"})


@pytest.mark.parametrize("name", ["", "plain", "/x", "Plain/x", "1a/x", "a_b/x", "a" * 33 + "/x"])
def test_a_name_without_a_proper_type_is_refused(name: str) -> None:
    with pytest.raises(InvalidName, match="expected type/key"):
        room_type(name)


@pytest.mark.parametrize("key", ["", " ", "\t", "a\x00b", "a\nb", "\x7f", "\x9b2J", "\ud800"])
def test_empty_blank_and_unprintable_keys_are_refused(key: str) -> None:
    with pytest.raises(InvalidName):
        parse_name(f"plain/{key}")


def test_a_key_takes_512_bytes_and_not_one_more() -> None:
    assert len(parse_name("plain/" + "é" * 256).key.encode()) == 512
    with pytest.raises(InvalidName, match="1 to 512 bytes, got 513"):
        parse_name("plain/" + "é" * 256 + "x")


@given(st.text(max_size=40))
def test_any_text_is_a_name_or_invalid(text: str) -> None:
    try:
        name = parse_name(text)
    except InvalidName:
        return
    assert str(name) == text
