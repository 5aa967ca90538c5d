"""Callbacks: `part.on_ack(callback)` adds one and returns a function that takes it away."""

import logging
from collections.abc import Callable
from typing import Generic, ParamSpec

P = ParamSpec("P")
logger = logging.getLogger(__name__)


class Event(Generic[P]):
    """Something that happens again and again, and who wants to know."""

    __slots__ = ("_callbacks",)

    def __init__(self) -> None:
        self._callbacks: list[Callable[P, object]] = []

    def __call__(self, callback: Callable[P, object]) -> Callable[[], None]:
        """Call `callback` each time; return a function that ends this."""
        self._callbacks.append(callback)

        def remove() -> None:
            if callback in self._callbacks:
                self._callbacks.remove(callback)

        return remove

    def emit(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Tell everyone; a callback that raises is logged and keeps nobody else from hearing."""
        for callback in tuple(self._callbacks):
            try:
                callback(*args, **kwargs)
            except Exception:
                logger.exception("a callback of the application failed")
