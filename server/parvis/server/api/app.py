"""The application that answers HTTP: the API, errors as JSON, headers, limits."""

from typing import Final

from aiohttp import web

from .bodies import MAX_BODY
from .contract import Api
from .faults import answer_faults
from .routes import BASE, add_api

CONTENT_SECURITY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)

HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # An address may carry a room token.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def make_app(api: Api) -> web.Application:
    """Return an application with the whole HTTP API; the node adds its other routes to it."""
    app = web.Application(middlewares=[answer_faults], client_max_size=MAX_BODY)
    add_api(app, api)
    https = api.gate.secure

    async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Server"] = "Parvis"
        if response.status == 101:
            return
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if https:
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        if request.path.startswith(BASE):
            response.headers.setdefault("Cache-Control", "no-store")

    app.on_response_prepare.append(add_headers)
    return app
