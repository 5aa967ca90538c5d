"""Makes the pictures in this folder small: 256 colours are enough for a page of text."""

from pathlib import Path

from PIL import Image

for picture in Path(__file__).parent.glob("*.png"):
    with Image.open(picture) as image:
        few = image.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    few.save(picture, optimize=True)
