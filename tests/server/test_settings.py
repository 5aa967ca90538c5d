"""Settings: where they come from, which win, and what stops a start."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from parvis.server.settings import (
    AppSettings,
    MailSettings,
    RoomSettings,
    Settings,
    SettingsInvalid,
    describe,
    fill,
    load,
    setting,
)

SECRET = "s" * 32


def given(file: Path | None = None, **flags: object) -> argparse.Namespace:
    """Return a parsed command line."""
    return argparse.Namespace(config=None if file is None else str(file), **flags)


def problems(arguments: object = None, **environ: str) -> dict[str, str]:
    """Return what is wrong with settings from the environment: key → message."""
    with pytest.raises(SettingsInvalid) as invalid:
        load(arguments, environ)
    return {problem.key: problem.message for problem in invalid.value.problems}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A settings file."""
    path = tmp_path / "parvis.toml"
    path.write_text(
        """
        [server]
        port = 1
        host = "127.0.0.2"
        data = "/srv/from-file"
        max_frame = "2 MiB"
        trusted_proxies = ["10.0.0.0/8", "::1"]

        [rooms.plain]
        create = "anyone"
        max_update = 65536
        members = "view"

        [auth.apps.shop]
        jwks = "https://shop.test/keys"
        rooms = ["plain/shop-*"]

        [log]
        level = "debug"
        """
    )
    return path


def test_without_a_word_everything_has_its_default() -> None:
    settings = load(None, {})
    assert settings == Settings()
    assert settings.store_url == "sqlite:///./data"
    assert settings.room("plain") == RoomSettings()


def test_a_file_is_read(file: Path) -> None:
    settings = load(given(file), {})
    assert (settings.server.port, settings.server.max_frame) == (1, 2 * 2**20)
    assert settings.server.trusted_proxies == ("10.0.0.0/8", "::1")
    assert settings.log.level == "debug"
    assert settings.room("plain") == RoomSettings(
        create="anyone", max_update=65536, options={"members": "view"}
    )
    assert settings.auth.apps == {
        "shop": AppSettings(jwks="https://shop.test/keys", rooms=("plain/shop-*",))
    }


def test_the_environment_wins_over_the_file_and_the_command_line_over_both(file: Path) -> None:
    environ = {"PARVIS_SERVER__PORT": "2", "PARVIS_SERVER__HOST": "127.0.0.3"}
    settings = load(given(file, host="127.0.0.4", port=None), environ)
    assert (settings.server.host, settings.server.port) == ("127.0.0.4", 2)
    assert settings.server.data == "/srv/from-file"


def test_the_environment_can_name_the_file(file: Path) -> None:
    assert load(None, {"PARVIS_CONFIG": str(file)}).server.port == 1


def test_the_environment_says_everything_that_a_file_can() -> None:
    settings = load(
        None,
        {
            "PARVIS_SERVER__OPEN": "yes",
            "PARVIS_SERVER__MAX_FRAME": "1 MiB",
            "PARVIS_SERVER__TRUSTED_PROXIES": "10.0.0.1, 10.0.0.2",
            "PARVIS_ROOMS__PLAIN__CREATE": "nobody",
            "PARVIS_ROOMS__TWO_WORDS__MINE": "7",
            "PARVIS_AUTH__APPS__MY_SHOP__SECRET": SECRET,
            "PARVIS_AUTH__APPS__MY_SHOP__ROOMS": "plain/a,plain/b-*",
        },
    )
    assert settings.server.open
    assert settings.server.max_frame == 2**20
    assert settings.server.trusted_proxies == ("10.0.0.1", "10.0.0.2")
    assert settings.room("plain").create == "nobody"
    assert settings.room("two-words").options == {"mine": "7"}
    assert settings.auth.apps["my-shop"].rooms == ("plain/a", "plain/b-*")


def test_variables_that_kubernetes_sets_are_none_of_ours() -> None:
    environ = {
        "PARVIS_PORT": "tcp://10.0.0.1:80",
        "PARVIS_SERVICE_HOST": "10.0.0.1",
        "PARVIS_SERVER_PORT": "tcp://10.0.0.1:80",
        "OTHER__KEY": "x",
    }
    assert load(None, environ) == Settings()


def test_all_that_is_wrong_is_said_at_once() -> None:
    assert problems(
        given(port="80000"),
        PARVIS_SERVER__PROT="1",
        PARVIS_SERVER__OPEN="perhaps",
        PARVIS_LOG__LEVEL="loud",
        PARVIS_ROOMS__PLAIN__CREATE="everyone",
        PARVIS_SERVR__PORT="1",
    ) == {
        "server.port": "got '80000', expected a whole number from 0 to 65535 (from --port)",
        "server.prot": "unknown key; did you mean server.port? (from PARVIS_SERVER__PROT)",
        "server.open": "got 'perhaps', expected true or false (from PARVIS_SERVER__OPEN)",
        "log.level": (
            "got 'loud', expected one of debug, info, warning, error (from PARVIS_LOG__LEVEL)"
        ),
        "rooms.plain.create": (
            "got 'everyone', expected one of anyone, members, admins, nobody"
            " (from PARVIS_ROOMS__PLAIN__CREATE)"
        ),
        "servr": "unknown key; did you mean server?",
    }


@pytest.mark.parametrize(
    ("variable", "value", "key"),
    [
        ("PARVIS_SERVER__PORT", "-1", "server.port"),
        ("PARVIS_SERVER__PORT", "8000.5", "server.port"),
        ("PARVIS_SERVER__PORT", "", "server.port"),
        ("PARVIS_SERVER__MAX_FRAME", "9 XiB", "server.max_frame"),
        ("PARVIS_SERVER__MAX_FRAME", "1 KiB", "server.max_frame"),
        ("PARVIS_SERVER__HEARTBEAT", "nan", "server.heartbeat"),
        ("PARVIS_SERVER__HEARTBEAT", "inf", "server.heartbeat"),
        ("PARVIS_SERVER__OUTBOX_BOUND", "1 GiB", "server"),
        ("PARVIS_SERVER__PUBLIC_URL", "parvis.example.org", "server.public_url"),
        ("PARVIS_SERVER__TRUSTED_PROXIES", "the one next door", "server.trusted_proxies"),
        ("PARVIS_SERVER__REDIS", "localhost", "server.redis"),
        ("PARVIS_SERVER__PORT__X", "1", "server.port"),
        ("PARVIS_STORE__URL", "mysql://host", "store.url"),
        ("PARVIS_AUTH__PASSWORD_MIN", "3", "auth.password_min"),
        ("PARVIS_AUTH__ARGON2_MEMORY", "1 MiB", "auth.argon2_memory"),
        ("PARVIS_ROOMS__PLAIN__IDLE", "soon", "rooms.plain.idle"),
        ("PARVIS_ROOMS__PL$AIN__IDLE", "1", "rooms.pl$ain"),
        ("PARVIS_ROOMS__PLAIN", "1", "rooms.plain"),
    ],
)
def test_a_wrong_value_stops_the_start_with_its_key(variable: str, value: str, key: str) -> None:
    assert list(problems(None, **{variable: value})) == [key]


@pytest.mark.parametrize(
    ("app", "words"),
    [
        ({"ROOMS": "plain/*"}, "neither"),
        ({"SECRET": SECRET}, "rooms"),
        ({"SECRET": "s" * 31, "ROOMS": "plain/*"}, "at least 32 bytes"),
        ({"JWKS": "http://shop.test/keys", "ROOMS": "plain/*"}, "https"),
        ({"JWKS": "{}", "ROOMS": "plain/*"}, "JSON"),
        ({"SECRET": SECRET, "ROOMS": "plain/*/x"}, "plain/*/x"),
        ({"SECRET": SECRET, "ROOMS": "plain/*", "SECRT": "x"}, "secret"),
    ],
)
def test_an_application_that_could_not_work_stops_the_start(
    app: dict[str, str], words: str
) -> None:
    environ = {f"PARVIS_AUTH__APPS__SHOP__{key}": value for key, value in app.items()}
    found = problems(None, **environ)
    assert words in " ".join(found.values())
    assert all(key.startswith("auth.apps.shop") for key in found)


def test_two_applications_cannot_sign_under_one_name() -> None:
    found = problems(
        None,
        PARVIS_AUTH__APPS__ONE__SECRET=SECRET,
        PARVIS_AUTH__APPS__ONE__ROOMS="*",
        PARVIS_AUTH__APPS__TWO__SECRET=SECRET,
        PARVIS_AUTH__APPS__TWO__ROOMS="*",
        PARVIS_AUTH__APPS__TWO__ISSUER="one",
    )
    assert "same issuer as auth.apps.one" in found["auth.apps.two"]


def test_a_secret_is_never_shown() -> None:
    secret = "a short secret"
    found = problems(
        None, PARVIS_AUTH__APPS__SHOP__SECRET=secret, PARVIS_AUTH__APPS__SHOP__ROOMS="*"
    )
    assert secret not in str(found)
    settings = load(
        None,
        {"PARVIS_AUTH__APPS__SHOP__SECRET": SECRET, "PARVIS_AUTH__APPS__SHOP__ROOMS": "*"},
    )
    assert SECRET not in repr(settings)


@pytest.mark.parametrize("text", ["[server", "\x00", "server = 1\nserver = 2"])
def test_a_file_that_is_no_toml_stops_the_start(tmp_path: Path, text: str) -> None:
    file = tmp_path / "parvis.toml"
    file.write_text(text)
    assert list(problems(given(file))) == [str(file)]


def test_a_file_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    file = tmp_path / "none.toml"
    assert problems(given(file)) == {str(file): "cannot be read: No such file or directory"}


def test_a_file_must_say_numbers_as_numbers(tmp_path: Path) -> None:
    file = tmp_path / "parvis.toml"
    file.write_text("[server]\nport = '8000'\nopen = 1\ndata = 7\ntrusted_proxies = 'all'\n")
    assert set(problems(given(file))) == {
        "server.port",
        "server.open",
        "server.data",
        "server.trusted_proxies",
    }


def test_sections_must_be_sections(tmp_path: Path) -> None:
    file = tmp_path / "parvis.toml"
    file.write_text("server = 7\nrooms = 7\n[auth]\napps = 7\n")
    assert set(problems(given(file))) == {"server", "rooms", "auth.apps"}


def test_with_sqlite_one_folder_holds_everything() -> None:
    settings = load(None, {"PARVIS_STORE__URL": "sqlite:////srv/parvis%20data"})
    assert settings.data == Path("/srv/parvis data")
    assert load(given(data="/srv/a b"), {}).store_url == "sqlite:////srv/a%20b"
    found = problems(given(data="/srv/one", store="sqlite:////srv/two"))
    assert "different folders" in found["settings"]
    same = load(given(data="/srv/one", store="sqlite:////srv/one"), {})
    assert same.data == Path("/srv/one")


@dataclass(frozen=True, slots=True)
class Board:
    """The settings of some plugin's room type."""

    colors: tuple[str, ...] = ("red",)
    most: int | None = None
    speed: float = 1.0
    mode: Literal["one", "two"] = "one"
    size: int = setting(1024, "Of a board.", unit="bytes", low=1)
    title: str = ""
    strict: bool = False

    def __post_init__(self) -> None:
        if self.title == "forbidden":
            raise ValueError("this title is forbidden")


def test_a_room_type_has_its_own_settings_filled() -> None:
    raw = {"colors": ["a", "b"], "most": 3, "speed": 2, "mode": "two", "size": "4 KiB"}
    assert fill(Board, raw, "rooms.board") == Board(("a", "b"), 3, 2.0, "two", 4096)
    assert fill(Board, {}, "rooms.board") == Board()


def test_a_room_types_settings_come_from_the_environment_too() -> None:
    environ = {
        "PARVIS_ROOMS__BOARD__COLORS": "a, b",
        "PARVIS_ROOMS__BOARD__MOST": "3",
        "PARVIS_ROOMS__BOARD__SPEED": "2",
        "PARVIS_ROOMS__BOARD__STRICT": "true",
        "PARVIS_ROOMS__BOARD__TITLE": "7",
    }
    options = load(None, environ).room("board").options
    board = Board(("a", "b"), 3, 2.0, strict=True, title="7")
    assert fill(Board, options, "rooms.board") == board


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"colour": 1}, "rooms.board.colour: unknown key; did you mean rooms.board.colors?"),
        ({"most": "x"}, "rooms.board.most: got 'x', expected a whole number or nothing"),
        ({"most": True}, "rooms.board.most: got True, expected a whole number or nothing"),
        ({"mode": "three"}, "rooms.board.mode: got 'three', expected one of one, two"),
        ({"colors": [1]}, "rooms.board.colors: got [1], expected a list of texts"),
        ({"title": "forbidden"}, "rooms.board: this title is forbidden"),
    ],
)
def test_a_room_types_wrong_settings_are_explained(raw: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsInvalid) as invalid:
        fill(Board, raw, "rooms.board")
    assert str(invalid.value) == message


@pytest.mark.parametrize(
    ("mail", "message"),
    [
        ({"host": "mail.example.org"}, "mail.host needs server.public_url"),
        (
            {"host": "mail.example.org", "security": "none", "user": "a", "password": "b"},
            "security: expected starttls or tls",
        ),
        ({"host": "mail.example.org", "user": "a"}, "password: expected one"),
        ({"from": "nobody"}, "expected an address like Parvis <parvis@example.org>"),
        ({"from": "A <a@b.org>\nBcc: c@d.org"}, "expected an address like"),
        ({"from": "a@b.org, c@d.org"}, "expected an address like"),
        ({"security": "ssl"}, "expected one of starttls, tls, none"),
        ({"from_": "a@b.org"}, "unknown key; did you mean mail.from?"),
    ],
)
def test_mail_settings_that_cannot_go_well_are_explained(
    mail: dict[str, str], message: str
) -> None:
    environ = {f"PARVIS_MAIL__{name.upper()}": value for name, value in mail.items()}
    with pytest.raises(SettingsInvalid) as invalid:
        load(None, environ)
    assert message in str(invalid.value)
    assert "'b'" not in str(invalid.value)


def test_a_mail_server_is_set() -> None:
    settings = load(
        None,
        {
            "PARVIS_SERVER__PUBLIC_URL": "https://parvis.example.org",
            "PARVIS_MAIL__HOST": "mail.example.org",
            "PARVIS_MAIL__USER": "parvis",
            "PARVIS_MAIL__PASSWORD": "a word",
            "PARVIS_MAIL__FROM": "Team <team@example.org>",
        },
    )
    assert settings.mail == MailSettings(
        host="mail.example.org", user="parvis", password="a word", from_="Team <team@example.org>"
    )
    assert "a word" not in repr(settings)


def test_every_setting_is_described() -> None:
    described = {each.key: each for each in describe()}
    assert described["server.port"].accepts == "a whole number from 0 to 65535"
    assert described["rooms.<type>.create"].default == "members"
    assert described["auth.apps.<id>.rooms"].variable == "PARVIS_AUTH__APPS__<ID>__ROOMS"
    assert described["mail.from"].variable == "PARVIS_MAIL__FROM"
    assert all(each.meaning.endswith(".") for each in described.values())


@dataclass(frozen=True)
class Told:
    """Settings of a room type.

    Attributes:
        most: Of something; more
            is refused.
        other: Not this.
    """

    most: int = 3
    silent: tuple[str, ...] = ()


def test_what_a_room_type_says_of_its_settings_is_described() -> None:
    described = {each.key: each for each in describe({"white-board": Told})}
    most, silent = described["rooms.white-board.most"], described["rooms.white-board.silent"]
    assert (most.variable, most.default, most.accepts, most.meaning) == (
        "PARVIS_ROOMS__WHITE_BOARD__MOST",
        "3",
        "a whole number",
        "Of something; more is refused.",
    )
    assert (silent.default, silent.meaning) == ("", "")
