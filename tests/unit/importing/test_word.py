"""What is read in Word files: numbers as printed, headings, changes, boxes, notes, forms, tables."""

from __future__ import annotations

import pytest

from tests.unit.importing.word_files import level, numbering, p, r, table, word
from trustportal.policies.domain.clauses import Kind, NumberingStyle
from trustportal.policies.importing.reading import Doubt, ImportRefused, Reading, pack, to_json, unpack
from trustportal.policies.importing.tree import to_tree
from trustportal.policies.importing.word.reading import read_word

TITLE = p("Kite Policy", style="Title")


def read(body: str, **parts: object) -> Reading:
    reading = read_word(word(body, **parts), "kites.docx")  # type: ignore[arg-type]
    assert Doubt.UNPLACED_WORDS not in {doubt.code for doubt in reading.uncertain}
    assert unpack(pack(reading)) == reading
    assert len(to_tree(reading)) == len(reading.clauses)
    return reading


def labelled(reading: Reading) -> list[tuple[str, str, int]]:
    return [(one.label, one.heading or one.text, one.depth) for one in reading.clauses]


def left_out(reading: Reading) -> list[tuple[str, str]]:
    return [(one.text, one.reason) for one in reading.dropped]


DECIMAL = [
    level(0, "decimal", "%1."),
    level(1, "decimal", "%1.%2"),
    level(2, "lowerLetter", "(%3)"),
    level(3, "lowerRoman", "%4."),
]


def test_numbers_of_every_level_are_printed_and_restart() -> None:
    body = TITLE + "".join(
        [
            p("Aims", style="Heading1", num=(1, 0)),
            p("Kites are flown by day.", num=(1, 1)),
            p("Kites are of three kinds:", num=(1, 1)),
            p("the flat one;", num=(1, 2)),
            p("the boxed one:", num=(1, 2)),
            p("with string;", num=(1, 3)),
            p("without.", num=(1, 3)),
            p("the round one.", num=(1, 2)),
            p("Rules", style="Heading1", num=(1, 0)),
            p("Kites stay low.", num=(1, 1)),
            p("and slow.", num=(1, 2)),
        ]
    )
    reading = read(body, numbers=numbering({7: DECIMAL}, {1: (7, "")}))
    assert labelled(reading) == [
        ("1.", "Aims", 0),
        ("1.1", "Kites are flown by day.", 1),
        ("1.2", "Kites are of three kinds:", 1),
        ("(a)", "the flat one;", 2),
        ("(b)", "the boxed one:", 2),
        ("i.", "with string;", 3),
        ("ii.", "without.", 3),
        ("(c)", "the round one.", 2),
        ("2.", "Rules", 0),
        ("2.1", "Kites stay low.", 1),
        ("(a)", "and slow.", 2),
    ]
    assert reading.numbering_style is NumberingStyle.MIXED


def test_a_style_brings_its_number_and_its_level() -> None:
    styles = (
        '<w:style w:type="paragraph" w:styleId="Part"><w:name w:val="Part"/><w:basedOn w:val="Heading1"/><w:pPr>'
        "<w:numPr>"
        '<w:numId w:val="3"/></w:numPr></w:pPr></w:style>'
        '<w:style w:type="paragraph" w:styleId="Rule"><w:name w:val="Rule"/><w:pPr><w:numPr>'
        '<w:ilvl w:val="1"/>'
        '<w:numId w:val="3"/></w:numPr></w:pPr></w:style>'
        '<w:style w:type="paragraph" w:styleId="RuleHere"><w:name w:val="Rule here"/>'
        '<w:basedOn w:val="Rule"/></w:style>'
    )
    levels = [
        level(0, "decimal", "%1", more='<w:pStyle w:val="Part"/>'),
        level(1, "decimal", "%1.%2", more='<w:pStyle w:val="Rule"/>'),
    ]
    body = TITLE + p("Aims", style="Part") + p("Kites fly.", style="Rule") + p("They land.", style="RuleHere")
    body += p("No number here at all, although the style has one.", style="Rule", num=(0, 0))
    reading = read(body, styles=styles, numbers=numbering({5: levels}, {3: (5, "")}))
    assert [one[:2] for one in labelled(reading)][:2] == [("1", "Aims"), ("1.1", "Kites fly.")]
    assert reading.clauses[2].label == "1.2"
    assert reading.clauses[2].text.startswith("They land.\n\nNo number here")


def test_a_list_that_starts_afresh_and_one_that_goes_on() -> None:
    letters = [level(0, "lowerLetter", "%1)")]
    afresh = '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride>'
    body = TITLE + p("Aims", style="Heading1") + p("one", num=(1, 0)) + p("two", num=(1, 0))
    body += p("Rules", style="Heading1") + p("first", num=(2, 0)) + p("second", num=(2, 0))
    body += p("Ends", style="Heading1") + p("third", num=(1, 0))
    reading = read(body, numbers=numbering({1: letters}, {1: (1, ""), 2: (1, afresh)}))
    assert [one.label for one in reading.clauses if one.label] == ["a)", "b)", "a)", "b)", "c)"]


@pytest.mark.parametrize(
    ("shape", "text", "third"),
    [
        ("upperRoman", "%1.", "III."),
        ("upperLetter", "%1.", "C."),
        ("decimalZero", "%1", "03"),
        ("decimal", "Rule %1:", "Rule 3:"),
        ("lowerRoman", "(%1)", "(iii)"),
    ],
)
def test_formats_of_numbers(shape: str, text: str, third: str) -> None:
    body = TITLE + p("Aims", style="Heading1") + "".join(p(f"Kites number {n}", num=(1, 0)) for n in "abc")
    reading = read(body, numbers=numbering({1: [level(0, shape, text)]}, {1: (1, "")}))
    assert third in "\n".join(f"{one.label} {one.text}" for one in reading.clauses)


def test_bullets_and_numbered_lists_inside_a_clause_stay_in_its_text() -> None:
    lists = {
        1: [level(0, "decimal", "%1."), level(1, "decimal", "%1.%2")],
        2: [level(0, "bullet", "·"), level(1, "bullet", "o")],
        3: [level(0, "decimal", "%1.")],
    }
    body = TITLE + p("Aims", style="Heading1", num=(1, 0)) + p("Bring:", num=(1, 1))
    body += p("string", num=(2, 0)) + p("short", num=(2, 1)) + p("paper", num=(2, 0))
    body += p("Then:", num=(1, 1)) + p("Run", num=(3, 0)) + p("Let go", num=(3, 0))
    reading = read(body, numbers=numbering(lists, {1: (1, ""), 2: (2, ""), 3: (3, "")}))
    assert [one.text for one in reading.clauses] == [
        "",
        "Bring:\n\n- string\n  - short\n- paper",
        "Then:\n\n1. Run\n2. Let go",
    ]


def test_changes_are_accepted_and_what_was_deleted_is_told() -> None:
    body = TITLE + p("Aims", style="Heading1")
    body += p(
        r("Kites fly ")
        + f"<w:ins>{r('very ')}</w:ins>"
        + "<w:del><w:r><w:delText>quite </w:delText></w:r></w:del>"
        + r("high.")
    )
    body += p("<w:moveFrom>" + r("Strings are short.") + "</w:moveFrom>")
    body += p(r("Nobody "), properties="<w:rPr><w:del/></w:rPr>") + p(r("runs."))
    body += p("<w:moveTo>" + r("Strings are short.") + "</w:moveTo>")
    reading = read(body)
    assert [one.text for one in reading.clauses if one.text] == [
        "Kites fly very high.",
        "Nobody runs.",
        "Strings are short.",
    ]
    assert left_out(reading) == [("quite", "deleted in a tracked change")]


def test_a_table_of_contents_and_running_heads_are_left_out_and_told() -> None:
    field = '<w:r><w:fldChar w:fldCharType="{}"/></w:r>'
    contents = p(
        field.format("begin")
        + "<w:r><w:instrText> TOC \\o </w:instrText></w:r>"
        + field.format("separate")
        + r("Aims\t2")
    )
    contents += p("Rules 3", style="TOC1") + p(field.format("end"))
    body = TITLE + contents + p("Aims", style="Heading1")
    body += p(
        r("See page ") + '<w:fldSimple w:instr=" PAGEREF x ">' + r("4") + "</w:fldSimple>" + r(" for more.")
    )
    reading = read(body, header=p("Moor Learning Trust"), footer=p("Page 1 of 9"))
    assert [one.text for one in reading.clauses if one.text] == ["See page 4 for more."]
    assert [(text, reason.split(":")[0]) for text, reason in left_out(reading)] == [
        ("Aims 2", "a table of contents"),
        ("Rules 3", "a table of contents"),
        ("Moor Learning Trust", "a running head or foot of the page"),
        ("Page 1 of 9", "a running head or foot of the page"),
    ]
    assert to_json(reading)["left_out"][0]["text"] == "Aims 2"


def test_controls_boxes_notes_links_and_hidden_text() -> None:
    box = (
        "<w:r><mc:AlternateContent><mc:Choice Requires='wps'><w:drawing><wps:txbx><w:txbxContent>"
        + p("Ring the office first.")
        + "</w:txbxContent></wps:txbx></w:drawing></mc:Choice><mc:Fallback><w:pict><w:txbxContent>"
        + p("Ring the office first.")
        + "</w:txbxContent></w:pict></mc:Fallback></mc:AlternateContent></w:r>"
    )
    note = (
        '<w:footnote w:type="separator" w:id="0"/><w:footnote w:id="2">'
        + p("A string is wool.")
        + "</w:footnote>"
    )
    body = TITLE + p("Aims", style="Heading1")
    body += (
        "<w:sdt><w:sdtContent>"
        + p(r("☒ I agree") + "<w:sdt><w:sdtContent>" + r(" in full") + "</w:sdtContent></w:sdt>")
        + "</w:sdtContent></w:sdt>"
    )
    body += p(r("Strings") + '<w:r><w:footnoteReference w:id="2"/></w:r>' + r(" are short.") + box)
    body += p('<w:hyperlink r:id="l1">' + r("our page") + "</w:hyperlink>" + r(" and secrets", "<w:vanish/>"))
    body += p('<w:r><w:sym w:font="Wingdings" w:char="F0A8"/></w:r>' + r(" tick here"))
    reading = read(body, notes=note, links={"l1": "https://kites.example/page"})
    assert reading.clauses[1].text == "☑ I agree in full"
    assert [one.text for one in reading.clauses[2:]] == [
        "Strings [1] are short.",
        "Ring the office first.",
        "[1] A string is wool.",
        "[our page](https://kites.example/page)",
        "☐ tick here",
    ]
    assert left_out(reading) == [("and secrets", "hidden text, which Word does not print")]


def test_header_and_version_tables_and_tables_in_the_text() -> None:
    body = TITLE + table([["Approved by:", "Kite board"], ["Review cycle", "Every year"]])
    body += p("Version control", style="Heading1")
    body += table(
        [["Version", "Date", "Changes"], ["1.0", "May 2030", "First"], ["1.1", "June 2031", "Strings"]]
    )
    body += p("Who does what", style="Heading1")
    merged = (
        "<w:tr><w:tc><w:tcPr><w:gridSpan w:val='2'/></w:tcPr>" + p("All of them | both") + "</w:tc></w:tr>"
    )
    body += table([["Post", "Duty"], ["Keeper", p("Fly.") + p("Land.")]]).replace(
        "</w:tbl>", merged + "</w:tbl>"
    )
    reading = read(body)
    assert reading.field("approving_body") == "Kite board"
    assert reading.field("review_period") == "Every year"
    assert [dict(row.cells)["date"] for row in reading.versions] == ["May 2030", "June 2031"]
    assert reading.clauses[0].heading == "Who does what"
    assert "| Keeper | Fly. Land. |" in reading.clauses[-1].text
    assert "All of them \\| both" in reading.clauses[-1].text


def test_headings_made_by_hand_are_headings_and_short_lines_are_not() -> None:
    bold = "<w:b/>"
    body = (
        p(r("Kite Policy", bold + '<w:sz w:val="36"/>'))
        + p(r("1. Aims", bold))
        + p("Kites fly when the wind allows it.")
    )
    body += p("Short line") + p(r("2. Rules", bold)) + p(r("Nobody runs with a kite through the yard.", bold))
    reading = read(body)
    assert reading.title == "Kite Policy"
    assert [(one.label, one.heading) for one in reading.clauses if one.kind is Kind.SECTION] == [
        ("1.", "Aims"),
        ("2.", "Rules"),
    ]
    assert [one.text for one in reading.clauses if one.text] == [
        "Kites fly when the wind allows it.",
        "Short line",
        "**Nobody runs with a kite through the yard.**",
    ]


def test_the_first_heading_is_the_title_where_nothing_else_is() -> None:
    reading = read(
        p("Kite Policy", style="Heading1")
        + p("Aims", style="Heading1")
        + p("Kites fly.")
        + p("Rules", style="Heading1")
        + p("None.")
    )
    assert reading.title == "Kite Policy"
    assert [one.heading for one in reading.clauses if one.heading] == ["Aims", "Rules"]


def test_emphasis_never_cuts_a_word() -> None:
    body = (
        TITLE
        + p("Aims", style="Heading1")
        + p(r("S", "<w:b/>") + r("chools fly ") + r("very ", "<w:b/>") + r("high", "<w:b/>") + r("."))
    )
    assert read(body).clauses[1].text == "Schools fly **very high**."


def test_words_the_reader_does_not_place_are_told() -> None:
    body = (
        TITLE
        + p("Aims", style="Heading1")
        + p("Kites fly.")
        + "<w:strange>"
        + p("Lost words here.")
        + "</w:strange>"
    )
    reading = read_word(word(body), "kites.docx")
    told = [doubt.reason for doubt in reading.uncertain if doubt.code is Doubt.UNPLACED_WORDS]
    assert len(told) == 1
    assert "Lost words here" in told[0]


def test_a_cell_may_hold_a_sign_alone() -> None:
    body = TITLE + p("Duties", style="Heading1") + p("Who does what:")
    body += table([["What", "Head", "Staff"], ["Kites", "✓", "—"], ["String", "…", "______"]])
    body += p("* * *") + p("Nobody flies alone.")
    said = read(body).clauses
    assert "| Kites | ✓ | — |" in said[1].text
    assert said[1].text.splitlines()[-1].count("_") >= 6
    assert "…" in said[1].text
    assert [one.text for one in said[2:]] == ["Nobody flies alone."]


@pytest.mark.parametrize(
    "text",
    [
        "1 September 2026 is the day on which kites rise.",
        "11 August 2017",
        "10 working days later, write again.",
    ],
)
def test_a_date_or_an_amount_is_no_number_of_a_clause(text: str) -> None:
    said = read(TITLE + p("Days", style="Heading1") + p(text)).clauses
    assert [(one.label, one.text) for one in said[1:]] == [("", text)]
    numbered = read(TITLE + p("Days", style="Heading1") + p("1 September rain keeps kites down.")).clauses
    assert numbered[1].label == "1"


def tops(reading: Reading) -> list[tuple[str, str]]:
    return [(one.label, one.heading) for one in reading.clauses if one.kind is Kind.SECTION]


@pytest.mark.parametrize(
    ("shape", "text", "labels"),
    [
        ("decimal", "Section %1", ["Section 1", "Section 2"]),
        ("decimal", "%1.0", ["1.0", "2.0"]),
        ("upperRoman", "%1.", ["I.", "II."]),
        ("upperLetter", "Part %1", ["Part A", "Part B"]),
        ("bullet", "•", ["", ""]),
    ],
)
def test_what_is_in_the_first_heading_style_is_a_section_however_it_is_counted(
    shape: str, text: str, labels: list[str]
) -> None:
    body = TITLE + "".join(
        [
            p("Before we fly", style="Heading1"),
            p("Read this first."),
            p("Why we have a policy.", style="Heading1", num=(1, 0)),
            p("Kites pull."),
            p("Where", style="Heading2"),
            p("On the field."),
            p("who looks after it?", style="Heading1", num=(1, 0)),
            p("The caretaker."),
        ]
    )
    reading = read(body, numbers=numbering({7: [level(0, shape, text)]}, {1: (7, "")}))
    assert tops(reading) == [
        ("", "Before we fly"),
        (labels[0], "Why we have a policy."),
        (labels[1], "who looks after it?"),
    ]
    assert [one.heading for one in reading.clauses if one.kind is Kind.SUBHEADING] == ["Where"]


def test_a_long_sentence_in_a_heading_style_is_a_clause() -> None:
    long = (
        "Every member of staff who takes a kite out of the cupboard writes the time, the colour and the length of the "
        "string into the book."
    )
    body = TITLE + p("Aims", style="Heading1", num=(1, 0)) + p("Kites fly.")
    body += p(long, style="Heading1", num=(1, 0)) + p("Rules", style="Heading1", num=(1, 0)) + p("They land.")
    reading = read(body, numbers=numbering({7: DECIMAL}, {1: (7, "")}))
    assert tops(reading) == [("1.", "Aims"), ("3.", "Rules")]
    assert ("2.", long, 0) in labelled(reading)


def test_a_box_is_read_where_it_is_anchored_and_after_the_heading_beside_which_it_stands() -> None:
    box = (
        "<w:r><w:drawing><wps:txbx><w:txbxContent><w:p><w:r><w:t>{}</w:t></w:r></w:p></w:txbxContent></wps:txbx>"
        "</w:drawing></w:r>"
    )
    body = TITLE + p("Aims", style="Heading1")
    body += p(box.format("Since 1999.") + r("Printed in spring, for those who fly kites on the moor."))
    body += p(box.format("Ask the caretaker.") + r("Where"), style="Heading1") + p("On the field.")
    body += p(r("They land here.") + box.format("Or there."))
    said = [one.heading or one.text for one in read(body).clauses]
    assert said == [
        "Aims",
        "Since 1999.",
        "Printed in spring, for those who fly kites on the moor.",
        "Where",
        "Ask the caretaker.",
        "On the field.",
        "They land here.",
        "Or there.",
    ]


def test_a_file_put_together_from_several_bodies_is_read_whole() -> None:
    parts = p("Aims", style="Heading1") + p("Kites fly.") + "</w:body><w:body>"
    reading = read(TITLE + parts + p("Rules", style="Heading1") + p("They land."))
    assert tops(reading) == [("", "Aims"), ("", "Rules")]
    assert [one.text for one in reading.clauses if one.text] == ["Kites fly.", "They land."]


def test_letters_with_their_pronunciation_above_them_are_read_once() -> None:
    above = "<w:r><w:ruby><w:rt>{}</w:rt><w:rubyBase>{}</w:rubyBase></w:ruby></w:r>"
    reading = read(TITLE + p("Aims", style="Heading1") + p(above.format(r("tako"), r("凧")) + r(" fly.")))
    assert [one.text for one in reading.clauses if one.text] == ["凧 fly."]


def test_a_file_that_holds_another_file_is_refused_and_says_what_to_do() -> None:
    with pytest.raises(ImportRefused, match=r"Open it in Word, save it, and bring it again\."):
        read(TITLE + p("Kites fly.") + '<w:altChunk r:id="r9"/>')
