"""Letters as messages: headers, both forms of the text, and nothing that anybody can smuggle in."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest

from parvis.server.mail.carriers import Rejected
from parvis.server.mail.letters import Action, Letter, compose
from parvis.server.mail.words import LANGUAGES, WORDS, Kind, letter

NOON = 1_795_176_000.0
SENDER = "Parvis at Home <parvis@example.org>"


def sent(letter: Letter, sender: str = SENDER) -> EmailMessage:
    """Return a letter as its receiver reads it."""
    message = compose(letter, sender=sender, now=NOON, id="id1")
    return message_from_bytes(message.as_bytes(), policy=default)


def words(**facts: str) -> Letter:
    return Letter(
        facts.get("to", "ada@example.org"),
        "en",
        facts.get("subject", "Hello"),
        (facts.get("text", "How are you?"),),
        (Action("Open", facts.get("url", "https://parvis.example.org/docs/k#c=1&d=2")),),
        ("Because.",),
    )


def form(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def test_a_letter_has_the_headers_that_keep_it_out_of_trouble() -> None:
    message = sent(words())
    assert {name: message[name] for name in message if name != "Content-Type"} == {
        "From": "Parvis at Home <parvis@example.org>",
        "To": "ada@example.org",
        "Subject": "Hello",
        "Date": "Fri, 20 Nov 2026 12:00:00 +0000",
        "Message-ID": "<id1@example.org>",
        "Auto-Submitted": "auto-generated",
        "MIME-Version": "1.0",
        "Content-Language": "en",
    }
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == [
        "text/plain",
        "text/html",
    ]


def test_a_letter_says_the_same_as_text_and_as_page() -> None:
    message = sent(words())
    assert form(message, "plain") == (
        "How are you?\n\nOpen:\nhttps://parvis.example.org/docs/k#c=1&d=2\n\n-- \nBecause.\n"
    )
    page = form(message, "html")
    assert '<a href="https://parvis.example.org/docs/k#c=1&amp;d=2"' in page
    for text in ("<p>How are you?</p>", ">Open</a>", ">Because.</p>", '<html lang="en">'):
        assert text in page


@pytest.mark.parametrize(
    "subject",
    [
        "Hi\r\nBcc: eve@example.org",
        "Hi\nBcc: eve@example.org",
        "Hi\x00\x0b\u2028Bcc: eve",
        "é" * 500,
    ],
)
def test_a_subject_is_one_line(subject: str) -> None:
    message = sent(words(subject=subject))
    assert "Bcc" not in message
    assert len(message["Subject"]) <= 200
    assert "\n" not in message["Subject"]


def test_what_people_write_is_no_markup() -> None:
    page = form(sent(words(text="<script>x</script>\n& so", subject="<b>", url='"><img>')), "html")
    assert "<script>" not in page
    assert "&lt;script&gt;x&lt;/script&gt;<br>\n&amp; so" in page
    assert "<b>" not in page
    assert "<img>" not in page


@pytest.mark.parametrize(
    "to",
    [
        "",
        "ada",
        "ada@",
        "a b@example.org",
        "a,b@example.org",
        "a;b@example.org",
        "<a@example.org>",
        "a@example.org>",
        "a@example.org\r\nRCPT TO:<eve@example.org>",
        "a@example.org\x00",
        '"a"@example.org',
        "a(b)@example.org",
        "a@exam ple.org",
        "a@b@example.org",
        "a@" + "x" * 64,
    ],
)
def test_an_address_that_a_server_could_misread_gets_no_letter(to: str) -> None:
    with pytest.raises(Rejected):
        sent(words(to=to))


def test_names_and_subjects_are_in_any_alphabet() -> None:
    message = sent(words(subject="Élodie vous invite 🎈"), sender="Société À <parvis@example.org>")
    assert message["Subject"] == "Élodie vous invite 🎈"
    assert message["From"].addresses[0].display_name == "Société À"
    raw = compose(words(text="été"), sender=SENDER, now=NOON, id="id1").as_bytes()
    assert raw.isascii()


def test_every_letter_of_the_node_is_in_every_language() -> None:
    facts = dict.fromkeys(("inviter", "base", "name", "subject", "text", "count"), "«x»") | {
        "days": "14"
    }
    for kind, wordings in WORDS.items():
        assert set(wordings) == set(LANGUAGES)
        for language in LANGUAGES:
            made = letter(kind, "ada@example.org", language, "https://x.org/a", **facts)
            message = sent(made)
            assert message["Subject"].strip()
            assert "{" not in form(message, "plain")
            assert "https://x.org/a" in form(message, "plain")


def test_who_said_nothing_reads_english() -> None:
    assert letter("test", "a@x.org", "", "", base="x").language == "en"
    assert letter("test", "a@x.org", "de", "", base="x").language == "en"
    assert letter("test", "a@x.org", "fr", "", base="x").language == "fr"


def test_what_people_wrote_turns_nothing_around() -> None:
    message = sent(words(subject="a \u202egpj.exe", text="see \u202egpj.exe\u2066 now"))
    assert message["Subject"] == "a gpj.exe"
    for kind in ("plain", "html"):
        assert "see gpj.exe now" in form(message, kind)


def test_the_button_has_the_colour_of_the_app() -> None:
    assert "background: #0b6b5c" in form(sent(words()), "html")


@pytest.mark.parametrize("kind", list(WORDS))
def test_french_signs_do_not_begin_a_line(kind: Kind) -> None:
    wording = WORDS[kind]["fr"]
    said = " ".join((wording.subject, *wording.paragraphs, wording.label, *wording.foot))
    for sign in "»:;?!":
        assert f" {sign}" not in said
    assert "« " not in said
