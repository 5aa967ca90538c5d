"""Uploaded images are written anew: all but their pixels is gone, what is none is refused."""

import struct
import zlib
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from PIL import Image, PngImagePlugin

from parvis.plugins.docs.formats.images import MAX_BYTES, NoImage, check, kind
from parvis.plugins.docs.formats.limits import TooLarge

FORMATS = {"PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif", "WEBP": "image/webp"}
SECRET = b"Ada's garden, 48.8584 N"
SCRIPT = b"<script>alert(1)</script>"


def drawn(width: int = 40, height: int = 20, mode: str = "RGB") -> Image.Image:
    """Return a picture whose left half is red and whose right half is blue."""
    picture = Image.new("RGB", (width, height), "blue")
    picture.paste("red", (0, 0, width // 2, height))
    return picture.convert(mode)


def saved(picture: Image.Image, format: str, **options: Any) -> bytes:
    out = BytesIO()
    picture.save(out, format, **options)
    return out.getvalue()


def opened(content: bytes) -> Image.Image:
    image = Image.open(BytesIO(content))
    image.load()
    return image


def is_red(color: Any) -> bool:
    return bool(color[0] > 200 and color[2] < 60)


@pytest.mark.parametrize("format", FORMATS)
def test_an_image_is_taken_by_what_it_holds(format: str) -> None:
    safe = check(saved(drawn(), format))
    assert (safe.type, safe.width, safe.height) == (FORMATS[format], 40, 20)
    assert kind(safe.content) == safe.type
    assert is_red(opened(safe.content).convert("RGB").getpixel((5, 10)))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_all_kinds_of_pixels_are_taken(mode: str) -> None:
    picture = drawn(mode=mode) if mode != "I;16" else Image.new("I;16", (40, 20), 40_000)
    assert check(saved(picture, "PNG")).width == 40


@pytest.mark.parametrize("mode", ["CMYK", "L", "YCbCr"])
def test_photographs_for_print_become_photographs_for_screens(mode: str) -> None:
    again = opened(check(saved(drawn(mode=mode), "JPEG")).content)
    assert again.mode in {"RGB", "L"}


def test_what_is_transparent_stays_so() -> None:
    picture = Image.new("RGBA", (10, 10), (255, 0, 0, 0))
    for format in ("PNG", "WEBP"):
        again = opened(check(saved(picture, format)).content).convert("RGBA")
        pixel: Any = again.getpixel((5, 5))
        assert pixel[3] == 0


def test_an_image_stands_upright_and_says_nothing_of_its_maker() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned: the camera was held upright
    exif[0x010E] = SECRET.decode()
    safe = check(saved(drawn(), "JPEG", exif=exif, comment=SECRET))
    assert (safe.width, safe.height) == (20, 40)
    again = opened(safe.content)
    assert is_red(again.convert("RGB").getpixel((10, 5)))
    assert SECRET not in safe.content
    assert not again.getexif()


def test_texts_inside_of_images_are_gone() -> None:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", SECRET.decode())
    notes.add_text("XML:com.adobe.xmp", SECRET.decode(), zip=False)
    for content in (
        saved(drawn(), "PNG", pnginfo=notes),
        saved(drawn(), "GIF", comment=SECRET),
        saved(drawn(), "WEBP", xmp=SECRET),
    ):
        assert SECRET in content
        assert SECRET not in check(content).content


def animated(format: str, **options: Any) -> bytes:
    pictures = [drawn(), drawn().transpose(Image.Transpose.FLIP_LEFT_RIGHT), drawn()]
    return saved(
        pictures[0],
        format,
        save_all=True,
        append_images=pictures[1:],
        duration=[50, 200, 70],
        loop=0,
        **options,
    )


@pytest.mark.parametrize("format", ["GIF", "WEBP"])
def test_what_moves_goes_on_moving(format: str) -> None:
    again = opened(check(animated(format)).content)
    frames: int = getattr(again, "n_frames", 1)
    assert frames == 3
    again.seek(1)
    again.load()
    assert again.info["duration"] == 200
    assert is_red(again.convert("RGB").getpixel((35, 10)))


def chunk(name: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
    )


def bomb(width: int, height: int) -> bytes:
    """Return a PNG of a few kB that says it is that large."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1_000_000)))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(("width", "height"), [(50_000, 50_000), (6400, 6400), (40_000, 2)])
def test_an_image_that_would_fill_the_memory_is_refused(width: int, height: int) -> None:
    with pytest.raises(TooLarge):
        check(bomb(width, height))


def test_an_animation_without_end_is_refused() -> None:
    frames = [Image.new("P", (1, 1), at % 2) for at in range(501)]
    content = saved(frames[0], "GIF", save_all=True, append_images=frames[1:], optimize=False)
    with pytest.raises(TooLarge, match="501"):
        check(content)


def test_a_file_that_is_too_large_is_not_looked_at() -> None:
    with pytest.raises(TooLarge, match="20 MiB"):
        check(b"\x89PNG\r\n\x1a\n" + bytes(MAX_BYTES))


SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'


@pytest.mark.parametrize(
    "content",
    [
        b"",
        SVG,
        b"<?xml version='1.0'?>" + SVG,
        b"<!DOCTYPE html><script>alert(1)</script>",
        b"%PDF-1.7",
        b"BM" + bytes(60),
        b"II*\x00" + bytes(60),
        b"\x00\x00\x00\x1cftypavif" + bytes(60),
        b"%!PS-Adobe-3.0 EPSF-3.0\n",
        b"\x89PNG\r\n\x1a\n" + SVG,
        b"\xff\xd8\xff\xe0" + SVG,
        b"GIF89a/*" + SVG,
        b"RIFF\x00\x00\x00\x00WEBP" + SVG,
        saved(Image.effect_noise((99, 99), 50), "PNG")[:2000],
        saved(drawn(400, 400), "JPEG")[:300],
    ],
)
def test_what_is_no_image_is_refused(content: bytes) -> None:
    with pytest.raises(NoImage):
        check(content)


@pytest.mark.parametrize("format", FORMATS)
def test_what_is_hidden_behind_an_image_is_gone(format: str) -> None:
    safe = check(saved(drawn(), format) + SCRIPT + b"PK\x03\x04")
    assert SCRIPT not in safe.content
    assert b"PK\x03\x04" not in safe.content


GOOD = {format: saved(drawn(), format) for format in FORMATS}


@given(
    st.sampled_from(list(FORMATS)),
    st.lists(st.tuples(st.integers(8, 5000), st.binary(max_size=4)), max_size=4),
)
@settings(max_examples=150, deadline=None)
def test_a_damaged_image_is_refused_or_written_anew(
    format: str, damages: list[tuple[int, bytes]]
) -> None:
    content = bytearray(GOOD[format])
    for place, damage in damages:
        at = place % len(content)
        content[at : at + len(damage)] = damage
    try:
        safe = check(bytes(content))
    except (NoImage, TooLarge):
        return
    assert opened(safe.content).size == (safe.width, safe.height)
