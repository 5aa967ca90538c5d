"""Writes documents as PDF/UA: tagged, so that it can be read aloud. Needs the extra ``pdf``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ..schema import Json
from .html_writer import STYLE, to_page
from .images import kind
from .pdf_library import need

_SCHEME: Final = "image:"
_PRINT: Final = (
    STYLE.replace("system-ui, sans-serif", '"Noto Sans", "DejaVu Sans", sans-serif')
    + """
@page {
  size: A4; margin: 22mm 20mm 24mm;
  @bottom-center { content: counter(page) " / " counter(pages); font: 9pt sans-serif; color: #555; }
}
main { font-size: 11pt; max-width: none; padding: 0; }
h1, h2, h3, h4, h5, h6 { break-after: avoid; }
figure, tr { break-inside: avoid; }
p { orphans: 2; widows: 2; }
.tasks > li { padding-left: 1.25rem; }
.tasks > li::before { content: "\\2610  "; }
.tasks > li[data-checked="true"]::before { content: "\\2611  "; }
.tasks > li > input { display: none; }
.tasks > li > p { display: inline; }
"""
)


def to_pdf(document: Json, title: str, images: Mapping[str, bytes]) -> bytes:
    """Return a document as PDF. Nothing is fetched: only the given images are known.

    Raises:
        Refused: If the library for it, or Pango, is not installed.
    """
    need()
    from weasyprint import HTML
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    class Given(URLFetcher):
        """Knows the given images, and no network and no files."""

        def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> URLFetcherResponse:
            image = images.get(url.removeprefix(_SCHEME)) if url.startswith(_SCHEME) else None
            type = kind(image) if image else None
            if image is None or type is None:
                raise ValueError("only images of the document are known")
            return URLFetcherResponse(url, image, {"Content-Type": type})

    page = to_page(
        document,
        title or "Document",
        images,
        style=_PRINT,
        source=lambda file: _SCHEME + file if kind(images.get(file, b"")) else None,
    )
    # Without a language no reader of the PDF would know how to speak it; und: not determined.
    page = page.replace('<html lang="">', '<html lang="und">', 1)
    # Numbers that lists begin with and widths of images are such hints.
    html = HTML(string=page, base_url=None, url_fetcher=Given())
    return html.write_pdf(pdf_variant="pdf/ua-1", presentational_hints=True)
