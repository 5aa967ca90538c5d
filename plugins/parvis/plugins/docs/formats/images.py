"""The check of an uploaded image: what it is, by what it holds, and nothing else that is in it.

An image is decoded and written anew: what it says about its maker and place (Exif, XMP, comments)
is gone, and so is whatever was hidden behind or beside its pixels. Run it in a helper process.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

from PIL import Image, ImageFile, ImageOps, ImageSequence, UnidentifiedImageError

from .limits import TooLarge

MAX_BYTES: Final = 20 * 1024 * 1024
MAX_PIXELS: Final = 40_000_000
"""Of one image; 160 MB while it is decoded."""
MAX_FRAMES: Final = 500
MAX_FRAME_PIXELS: Final = 4 * MAX_PIXELS
"""Of all frames of an animation together; they are decoded one after the other."""
MAX_SIDE: Final = 16_383
"""Pixels; WebP can hold no more, and no browser is happy with more."""


class NoImage(ValueError):
    """What was uploaded is no image of a kind that is taken; the text says why."""


@dataclass(frozen=True, slots=True)
class SafeImage:
    """An image written anew; width and height are in pixels, as people see it."""

    content: bytes
    type: str
    width: int
    height: int


_TYPES: Final[Mapping[str, str]] = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "GIF": "image/gif",
    "WEBP": "image/webp",
}
_MARKS: Final = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
)


def kind(content: bytes) -> str | None:
    """Return the media type that the first bytes of an image say, or None if it is not taken."""
    return _TYPES.get(_format(content) or "")


def _format(content: bytes) -> str | None:
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WEBP"
    return next((format for mark, format in _MARKS if content.startswith(mark)), None)


def check(content: bytes) -> SafeImage:
    """Return an uploaded image, written anew.

    Raises:
        NoImage: If it is none, is broken, or is of another kind.
        TooLarge: If it has too many bytes, pixels or frames.
    """
    if len(content) > MAX_BYTES:
        raise TooLarge(f"an image of more than {MAX_BYTES // 2**20} MiB")
    format = _format(content)
    if format is None:
        raise NoImage("expected a PNG, JPEG, GIF or WebP image")
    # Only the decoder of that very format is tried; the guards against bombs are our own.
    Image.MAX_IMAGE_PIXELS = None
    ImageFile.LOAD_TRUNCATED_IMAGES = False  # WeasyPrint sets it for the whole process.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about odd but harmless metadata, which is dropped
        try:
            with Image.open(BytesIO(content), formats=[format]) as image:
                return _again(image, format)
        except (UnidentifiedImageError, OSError, SyntaxError, EOFError, ValueError) as error:
            if isinstance(error, (NoImage, TooLarge)):
                raise
            raise NoImage(f"this {format} image is broken") from error
        except (OverflowError, MemoryError, IndexError, KeyError, TypeError) as error:
            raise NoImage(f"this {format} image is broken") from error


def _again(image: Image.Image, format: str) -> SafeImage:
    width, height = image.size
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise TooLarge(f"an image of {width} x {height} pixels; {MAX_PIXELS} are taken")
    out = BytesIO()
    frames = int(getattr(image, "n_frames", 1))
    if frames > 1 and format in {"GIF", "WEBP"}:
        size = _animation(image, format, frames, out)
    else:
        size = _still(image, format, out)
    return SafeImage(out.getvalue(), _TYPES[format], *size)


def _still(image: Image.Image, format: str, out: BytesIO) -> tuple[int, int]:
    image.load()
    upright = ImageOps.exif_transpose(image)
    profile: Any = image.info.get("icc_profile")  # Colours of a camera are wrong without it.
    upright = _plain(upright, format)
    options: dict[str, Any] = {"icc_profile": profile} if _good_profile(profile) else {}
    if format == "JPEG":
        options |= {"quality": 90, "optimize": True}
    elif format == "WEBP":
        options |= {"quality": 90, "method": 4}
    elif format == "PNG":
        options |= {"optimize": False}
    upright.save(out, format, **options)
    return upright.size


def _plain(image: Image.Image, format: str) -> Image.Image:
    """Return an image in a mode that its format and every browser knows, without its metadata."""
    alpha = "A" in image.getbands() or "transparency" in image.info
    if format == "JPEG":
        mode = "L" if image.mode == "L" else "RGB"
    elif image.mode in {"1", "L"} and not alpha and format == "PNG":
        mode = image.mode
    else:
        mode = "RGBA" if alpha else "RGB"
    made = image.convert(mode)
    made.info = {}
    return made


def _good_profile(profile: Any) -> bool:
    """Say whether this is a colour profile of a usual size: others may carry anything."""
    return isinstance(profile, bytes) and len(profile) < 64 * 1024 and profile[36:40] == b"acsp"


def _animation(image: Image.Image, format: str, frames: int, out: BytesIO) -> tuple[int, int]:
    width, height = image.size
    if frames > MAX_FRAMES or frames * width * height > MAX_FRAME_PIXELS:
        raise TooLarge(f"an animation of {frames} pictures of {width} x {height} pixels")
    pictures: list[Image.Image] = []
    durations: list[int] = []
    for frame in ImageSequence.Iterator(image):
        frame.load()  # WebP says only then how long it is shown.
        durations.append(min(max(int(frame.info.get("duration") or 100), 20), 60_000))
        picture = frame.convert("RGBA")
        picture.info = {}
        pictures.append(picture)
    options: dict[str, Any] = {"quality": 80, "method": 2} if format == "WEBP" else {"disposal": 2}
    pictures[0].save(
        out,
        format,
        save_all=True,
        append_images=pictures[1:],
        duration=durations,
        loop=int(image.info.get("loop") or 0),
        **options,
    )
    return width, height
