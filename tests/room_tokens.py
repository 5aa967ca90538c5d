"""Room tokens as an application's own backend signs them, and the node that takes them."""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import jwt

APP_SECRET: Final = secrets.token_hex(32)
APP_SETTINGS: Final[Mapping[str, str]] = {
    "PARVIS_AUTH__APPS__TESTS__SECRET": APP_SECRET,
    "PARVIS_AUTH__APPS__TESTS__ROOMS": "plain/*",
    "PARVIS_ROOMS__PLAIN__CREATE": "anyone",
}
"""A node that takes tokens of an application called ``tests``."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Room tokens for one room, as an application's backend signs them."""

    edit: str
    view: str
    wrong: str


def room_tokens(room: str) -> Tokens:
    """Tokens for a room that let edit, let view, and are signed by somebody else."""

    def sign(user: str, secret: str, *capabilities: str) -> str:
        claims = {
            "iss": "tests",
            "aud": "parvis",
            "sub": user,
            "exp": time.time() + 3600,
            "rooms": [room],
            "capabilities": list(capabilities),
        }
        return jwt.encode(claims, secret, algorithm="HS256")

    return Tokens(
        edit=sign("editor", APP_SECRET, "view", "edit"),
        view=sign("viewer", APP_SECRET, "view"),
        wrong=sign("editor", secrets.token_hex(32), "view", "edit"),
    )
