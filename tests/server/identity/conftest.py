"""Scenes for the tests of identity."""

from collections.abc import AsyncIterator

import pytest

from tests.identities import Scene, make_scene, settings_with


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    """A node's identity."""
    scene = await make_scene()
    yield scene
    scene.identity.close()


@pytest.fixture
async def open_scene() -> AsyncIterator[Scene]:
    """The identity of a node that runs with ``--open``."""
    scene = await make_scene(settings_with(open=True))
    yield scene
    scene.identity.close()
