"""The HTTP API below ``/api/v1``: `make_app` returns the application that the node serves."""

from .app import make_app
from .contract import Api, Directory, Registry
from .faults import Fault
from .gate import Gate

__all__ = ["Api", "Directory", "Fault", "Gate", "Registry", "make_app"]
