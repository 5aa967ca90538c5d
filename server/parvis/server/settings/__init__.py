"""What an operator can set: frozen dataclasses, read once and passed in.

A value comes from the file named by ``--config`` (or ``PARVIS_CONFIG``), then from the environment
(``PARVIS_SECTION__KEY``, ``PARVIS_ROOMS__PLAIN__CREATE``, ``PARVIS_AUTH__APPS__SHOP__SECRET``),
then from the command line; what comes later wins. `describe` lists everything.
"""

from .filling import Problem, SettingsInvalid, fill, setting
from .loading import CORE, FLAGS, Described, describe, load
from .sections import (
    LOCAL_TENANT,
    LOOPBACK,
    MAILABLE,
    AppSettings,
    AuthSettings,
    BackupSettings,
    BlobSettings,
    LogSettings,
    MailSettings,
    RoomSettings,
    ServerSettings,
    Settings,
    StoreSettings,
)

__all__ = [
    "CORE",
    "FLAGS",
    "LOCAL_TENANT",
    "LOOPBACK",
    "MAILABLE",
    "AppSettings",
    "AuthSettings",
    "BackupSettings",
    "BlobSettings",
    "Described",
    "LogSettings",
    "MailSettings",
    "Problem",
    "RoomSettings",
    "ServerSettings",
    "Settings",
    "SettingsInvalid",
    "StoreSettings",
    "describe",
    "fill",
    "load",
    "setting",
]
