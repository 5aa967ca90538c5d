"""The editor on its page, by keyboard: typing, menus, tables, images, pasting, finding, others."""

from tests.browser.conftest import RunInBrowser
from tests.running import Server


def test_what_is_typed_fast_becomes_what_it_means_at_its_place(
    run_in_browser: RunInBrowser, node: Server
) -> None:
    result = run_in_browser("docs-editor", "typing", node)
    assert result.pop("shown") == (
        "# Title\n\n"
        "Some **bold**, *slanted*, ~~gone~~ and `code` here\n\n"
        "- one\n- two\n\n"
        "3. three\n4. four\n\n"
        "- [ ] open\n- [x] done\n\n"
        "> said\n\n"
        '```js\nconst a = "#"\nlet b\n```\n\n'
        "## Under it\n\n"
        "The end.\n"
    )
    turns = [f"{'#' * turn} Head {turn}\n\nText {turn}\n\n- a\n- b\n" for turn in range(1, 6)]
    assert result == {
        "language": "js",
        "colours": "const",
        "python": '```python\nconst a = "#"\nlet b # py\n```',
        "many": "\n".join(turns),
        "wrong": [],
        "errors": [],
    }


def test_enter_backspace_and_tab_do_what_the_block_asks_for(
    run_in_browser: RunInBrowser, node: Server
) -> None:
    result = run_in_browser("docs-editor", "blocks", node)
    assert result == {
        "at": {
            "split": "# Who\n\n# xle\n",
            "plain": "No Head\n",
            "before": "## xHead\n",
            "undone": "1\n",
            "nested": "- one\n  - two\n    - three\n  - four\n\nfive\n\nout\n",
            "lifted": "- one\n\nxtwo\n",
            "joined": "one two\n",
            "tasks": "- [x] one\n- [ ] two\\\n  more\n",
            "quote": "> one\n\nout\n",
            "code": "```\nif a:\n  b\n```\n\nout\n",
        },
        "left": True,
        "errors": [],
    }


def test_the_slash_menu_works_by_keys_alone(run_in_browser: RunInBrowser, node: Server) -> None:
    result = run_in_browser("docs-editor", "slash", node)
    assert {"Heading 1", "Checklist", "Table", "Quote", "Code"} < set(result.pop("all"))
    assert result == {
        "third": "Heading 2",
        "closed": True,
        "none": True,
        "shown": "# Chosen\n\nSee /x\n\n- [ ] task\n\n___\n\n/zzzz and on\n",
        "wrong": [],
        "errors": [],
    }


def test_marks_and_links_are_set_by_keys_and_addresses_with_scripts_refused(
    run_in_browser: RunInBrowser, node: Server
) -> None:
    result = run_in_browser("docs-editor", "marks", node)
    assert result.pop("refused").startswith("This address cannot be a link.")
    assert result == {
        "first": "button Bold",
        "second": "button Italic",
        "back": "text",
        "linked": "text",
        "shown": "First.\n\n[Some](https://example.org/a) words <b><i>here! See"
        " [this](https://example.org/b) and javascript:alert(2)</i></b>three\n",
        "hrefs": ["https://example.org/a", "https://example.org/b"],
        "wrong": [],
        "errors": [],
    }


def test_somebody_is_mentioned_by_keys_and_taken_away_whole(
    run_in_browser: RunInBrowser, node: Server
) -> None:
    result = run_in_browser("docs-editor", "mention", node)
    assert result == {
        "shown": "Ask @Grace Hopper today, me@example.org",
        "mentions": 1,
        "closed": True,
        "without": "Ask  today, me@example.org",
        "wrong": [],
        "errors": [],
    }


def test_a_table_is_filled_grown_merged_and_split_by_keys(
    run_in_browser: RunInBrowser, node: Server
) -> None:
    result = run_in_browser("docs-editor", "table", node)
    assert 30 <= result.pop("by") <= 50
    assert result == {
        "typed": ["A|B|C", "|back|down", "||"],
        "grown": ["A|B|C", "|back|down", "||last", "new row||"],
        "wider": ["A||B|C", "||back|down", "|||last", "new row|||"],
        "taller": ["A|B|C", "|back|down", "||last", "||", "new row||"],
        "shorter": ["A|B|C", "|back|down", "||last", "||"],
        "merged": ["AB*2|C", "|back|down", "||last", "||"],
        "split": ["AB||C", "|back|down", "||last", "||"],
        "widths": True,
        "shown": "gone\n",
        "wrong": [],
        "errors": [],
    }


def test_an_image_gets_its_words_and_its_width_by_keys(
    run_in_browser: RunInBrowser, node: Server
) -> None:
    result = run_in_browser("docs-editor", "image", node)
    assert "notes.txt is not an image" in result.pop("refused")
    assert result.pop("field").startswith("input ")
    assert result == {
        "back": "text",
        "slider": "320",
        "width": 320,
        "naturalWidth": 400,
        "alt": "The harbour, seen from above",
        "named": "The harbour, seen from above",
        "wrong": [],
        "errors": [],
    }


def test_what_other_programs_copy_is_pasted_as_what_it_means(
    run_in_browser: RunInBrowser, node: Server
) -> None:
    result = run_in_browser("docs-editor", "pasting", node)
    assert result.pop("shown") == {
        "word": "# Report of the harbour\n\n"
        "**Important:** the wall is *old* and <u>cracked</u>,"
        " see [the survey](https://example.org/wall).\n\n"
        "- North pier\n  - Lamp **broken**\n- South pier\n\n"
        "First do this:\n\n"
        "3. Measure\n4. Repair\n\n"
        '<table><tbody><tr><td colspan="2"><p><mark data-color="yellow">Cost</mark></p></td></tr>'
        "<tr><td><p>H<sub>2</sub>O</p></td>"
        '<td><p class="align-right">12</p></td></tr></tbody></table>\n',
        "google-docs": "## The harbour\n\n"
        "**Bold** and *<u>both</u>* ~~gone~~<sup>2</sup>\n\n"
        '[a link](https://example.org/a)<mark data-color="yellow">marked</mark>\n\n'
        "- one\n  - deeper\n- two\n\n"
        "* [x] ~~done~~\n* [ ] open\n\n"
        "<table><tbody><tr><td><p><strong>A</strong></p></td>"
        "<td><p></p></td></tr></tbody></table>\n",
        "libreoffice": "# Le port\n\n"
        "**Gras**, *italique*, <u>souligné</u>, ~~barré~~ et"
        ' <mark data-color="yellow">surligné</mark>\n\n'
        "1. un\n   1. un bis\n2. deux\n\n"
        "<table><tbody><tr><th><p>Tête</p></th><td><p><br></p></td></tr></tbody></table>\n",
    }
    assert result == {
        "markdown": "Start here\nSub\nab\nx",
        "plain": "Start here\n## Sub\n- a\n- b\n**x**",
        "nothing": "Start here\n",
        "unformatted": "**fat**",
        "bold": 0,
        "errors": [],
    }


def test_all_places_are_found_replaced_and_brought_back_in_one_step(
    run_in_browser: RunInBrowser, node: Server
) -> None:
    result = run_in_browser("docs-editor", "finding", node)
    assert result == {
        "outline": ["One fish", "Blue fish", "Third"],
        "counted": "1 word selected · 5 characters",
        "found": "n of 5",
        "drawn": 6,  # One of the five is half bold.
        "next": "2 of 5",
        "previous": "1 of 5",
        "cased": "n of 4",
        "said": "5 places replaced",
        "replaced": "# One bird\n\nTwo bird, red bird.\n\n## Blue bird\n\n"
        "No **bird**es. And more words\n\n# Third\n",
        "back": "text",
        "undone": True,
        "wrong": [],
        "errors": [],
    }


def test_lines_run_their_own_way_and_tools_give_the_keys_back(
    run_in_browser: RunInBrowser, node: Server
) -> None:
    result = run_in_browser("docs-editor", "odds", node)
    assert len(result.pop("help")) == 3
    assert result == {
        "directions": ["ltr", "rtl", "rtl"],
        "rightToLeft": "Left\n\nשלם רב\n\n- מימין\\!\n",
        "clicked": "**bold** plain\n\n- item\n\n## Head\n\nafter\n",
        "wrong": [],
        "errors": [],
    }


def test_undo_is_ones_own_and_ones_place_stays_while_others_write(
    run_in_browser: RunInBrowser, node: Server
) -> None:
    result = run_in_browser("docs-editor", "others", node)
    assert result == {
        "names": ["Grace Hopper", "Linus Pauling"],
        "selected": "Line",
        "written": "<<<<<<<<Ada 30.>>>>>>>>",
        "undone": ["Line 30."],
        "kept": True,
        "redone": ["<<<<<<<<Ada 30.>>>>>>>>"],
        "same": True,
        "wrong": [],
        "errors": [],
    }


def test_the_editor_speaks_french(run_in_browser: RunInBrowser, node: Server) -> None:
    result = run_in_browser("docs-editor", "french", node)
    assert {"Titre 1", "Liste de tâches", "Tableau", "Citation"} < set(result.pop("all"))
    assert {"Ligne au-dessus", "Fusionner les cellules"} < set(result.pop("tableTools"))
    assert {"Gras", "Italique", "Souligné", "Lien"} < set(result.pop("textTools"))
    assert result.pop("refused").startswith("Cette adresse ne peut pas être un lien.")
    assert result == {
        "none": "Introuvable",
        "help": ["Texte", "Paragraphes et listes", "Actions"],
        "wrong": [],
        "errors": [],
    }
