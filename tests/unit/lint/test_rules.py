"""Each rule of the catalogue on texts of our own: it fires where it should, and keeps still where it should not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.lint.given_documents import (
    TODAY,
    appendix,
    clause,
    document,
    found,
    header,
    marked,
    section,
    versions,
)
from trustportal.policies.domain.clauses import Kind
from trustportal.policies.domain.lint import RULES
from trustportal.policies.domain.lint.model import Document, Note, Severity, Source

DSL, LADO = "designated safeguarding lead", "local authority designated officer"
FULL = {
    "person_responsible": "Kite lead",
    "approving_body": "Trust board",
    "approved_on": "1 May 2026",
    "next_review_on": "1 May 2027",
    "review_period": "Every year",
}


def about_safety(*clauses: object, **more: object) -> Document:
    return document(*clauses, safeguarding=True, **more)  # type: ignore[arg-type]


#: (rule, a document in which it fires, what it marks)
FIRES: list[tuple[str, Document, list[str]]] = [
    ("L01", document(section("Wind", "1"), clause("Strong", "1.1"), clause("Weak", "1.1")), ["1.1"]),
    (
        "L01",
        document(clause("Lines", "1."), clause("Long", "a)", depth=2), clause("Short", "a)", depth=2)),
        ["a)"],
    ),
    ("L01", document(appendix("Knots", "Appendix A"), appendix("Tails", "Appendix A")), ["Appendix A"]),
    ("L02", document(section("Wind", "1"), clause("Weak", "1.2")), ["1.2"]),
    ("L02", document(section("Wind", "1"), clause("Strong", "1.1"), clause("Weak", "1.3")), ["1.3"]),
    ("L02", document(section("Wind", "1"), clause("Knots", "1.1.1", depth=2)), ["1.1.1"]),
    (
        "L02",
        document(section("Wind", "1"), clause("Gusts", "1.1"), clause("Knots", "1.1.1", depth=2)),
        ["1.1.1"],
    ),
    (
        "L02",
        document(section("Wind", "1"), section("Rain", "2"), clause("Weak", "1.1"), clause("More", "1.2")),
        ["1.1"],
    ),
    (
        "L02",
        document(clause("Lines", "1."), clause("Long", "a)", depth=2), clause("Short", "c)", depth=2)),
        ["c)"],
    ),
    (
        "L03",
        document(
            "The next review of this policy is due on 3 June 2027.", header=header(next_review_on="May 2027")
        ),
        ["3 June 2027"],
    ),
    ("L04", document(header=header(next_review_on="March 2025")), ["March 2025"]),
    ("L04", document("This policy is next reviewed in April 2024."), ["April 2024"]),
    ("L05", document("The policy is reviewed biannually."), ["biannually"]),
    ("L05", document(header=header(review_period="Bi-annual")), ["Bi-annual"]),
    (
        "L05",
        document("This policy is reviewed every two years.", header=header(review_period="Annually")),
        ["every two years"],
    ),
    (
        "L05",
        document(header=header(review_period="Annually", approved_on="May 2024", next_review_on="May 2027")),
        ["Annually"],
    ),
    ("L06", document("Kites land. 18 March 2021", title="Kite policy May 2023"), ["18 March 2021"]),
    (
        "L06",
        document(
            "Kites land.\nKites/Policy/Flying/May 2019/Next review May 2024",
            header=header(approved_on="2 May 2023"),
        ),
        ["May 2019"],
    ),
    ("L07", document(header=header(approved_on="2024")), ["2024"]),
    ("L07", document(header=header(signed_on="3.4.24")), ["3.4.24"]),
    ("L07", document("Kites have been allowed since 03/04/2024."), ["03/04/2024"]),
    ("L08", document(header=header(change_log="")), ["header:change_log"]),
    (
        "L08",
        document(
            versions=versions({"version": "1", "date": "May 2024", "reason": "", "author": "Kite lead"})
        ),
        ["1"],
    ),
    ("L09", document(header=header(**{**FULL, "person_responsible": ""})), ["header:person_responsible"]),
    ("L09", document(), [f"header:{name}" for name in sorted(FULL)]),
    (
        "L10",
        document(header=header(signed_by_chair="", approved_on="1 May 2024")),
        ["header:signed_by_chair"],
    ),
    (
        "L11",
        document(
            "This policy is reviewed each year by the governing board.", header=header(approving_body="SLT")
        ),
        ["the governing board"],
    ),
    ("L12", document("See the Data Protection Act 1998."), ["Data Protection Act 1998"]),
    (
        "L12",
        document("We keep to the General Data Protection Regulation."),
        ["General Data Protection Regulation"],
    ),
    (
        "L13",
        document("The Malicious Communications Act 1998 applies."),
        ["Malicious Communications Act 1998"],
    ),
    ("L13", document("See the Equality Act 2012."), ["Equality Act 2012"]),
    ("L14", document("As the Equality Act says."), ["Equality Act"]),
    ("L15", document("The Criminal Prosecution Service decides."), ["Criminal Prosecution Service"]),
    ("L15", document("Staff have a CRB check."), ["CRB"]),
    ("L16", document("Our Kite Safety Policy June 2017 says more."), ["June 2017"]),
    ("L16", document("See KCSIE 2023 for more."), ["KCSIE 2023"]),
    (
        "L16",
        document("See Working together to safeguard children 2018."),
        ["Working together to safeguard children 2018"],
    ),
    ("L17", document("Kites fly.\nPage 4 of 12\nThey land."), ["Page 4 of 12"]),
    ("L17", document("Kites fly. 3rd March 2021\n14"), ["3rd March 2021\n14"]),
    ("L17", document("Kites fly.\nKites/Policy/Flying/May 2019"), ["Kites/Policy/Flying/May 2019"]),
    ("L18", document("Kites fly. 14. When they land, wait."), ["14."]),
    ("L19", document("The kite must be\n\nheld with both hands."), ["be\n\nheld"]),
    ("L19", document("The kite must be", "held with both hands."), ["held"]),
    ("L20", document("Hold the line. o Let it go."), ["o"]),
    ("L20", document("Bring a tail, and ✦ a spare line."), ["✦"]),
    (
        "L21",
        document(clause("Lines", "1."), clause("Long", "a.", depth=1), clause("Short", "ii.", depth=1)),
        ["ii."],
    ),
    ("L21", document(clause("Lines", "a."), notes=((0, Note.NESTING),)), ["a."]),
    (
        "L22",
        document(
            clause("Rules", "4.1"),
            clause("x", "a)", depth=2),
            clause("y", "b)", depth=2),
            clause("See a-d in section 4.1.", "4.2"),
        ),
        ["a-d in section 4.1"],
    ),
    (
        "L22",
        document(
            clause("Rules", "4.1"),
            clause("x", "a)", depth=2),
            clause("y", "b)", depth=2),
            clause("z", "c)", depth=2),
            clause("See paragraph 4.1 (a)-(b).", "4.2"),
        ),
        ["paragraph 4.1 (a)-(b)"],
    ),
    ("L23", document(section("Wind", "1"), clause("As section 7 says.", "1.1")), ["7"]),
    (
        "L23",
        document(
            section("Wind", "1"),
            clause("Use the form in Appendix C.", "1.1"),
            appendix("Knots", "Appendix A"),
        ),
        ["C"],
    ),
    ("L23", document(clause("See [[gone]].", key="wind"), source=Source.DRAFT), ["[[gone]]"]),
    (
        "L24",
        document("Read with the following policies:\n\n- Wind policy", "See the Kite Insurance Policy."),
        ["Kite Insurance Policy"],
    ),
    ("L24", document("Pilots sign our kite safety agreement."), ["kite safety agreement"]),
    (
        "L25",
        document("See the Kite Insurance Policy.", "The Kite Insurance Policies apply."),
        ["Kite Insurance Policies"],
    ),
    (
        "L25",
        document("The Code of Conduct for Parents holds.", "So does the Acceptable Use Policy for Parents."),
        ["Acceptable Use Policy for Parents"],
    ),
    ("L26", document("Fill in the [form](#)."), ["[form](#)"]),
    ("L26", document("Ask [insert name] first."), ["[insert name]"]),
    ("L26", document("Ask {{role.pilot}}.", placeholders=frozenset({"role.head"})), ["{{role.pilot}}"]),
    ("L26", document("Ask {{Role Pilot}}."), ["{{Role Pilot}}"]),
    (
        "L27",
        document(
            clause("1. Wind\n2. Rain and snow", heading="Contents", kind=Kind.SECTION, depth=0),
            section("Wind", "1"),
            section("Rain", "2"),
        ),
        ["Rain"],
    ),
    ("L28", document(section("Wind"), section("Rain"), notes=((1, Note.HEADING_SIZE),)), ["Rain"]),
    ("L28", document(section("Wind"), clause("Wet.", heading="Rain", depth=0)), ["Rain"]),
    (
        "L29",
        document("The headteacher decides. The headteacher is told.", "Ask the Head Teacher."),
        ["Head Teacher"],
    ),
    ("L29", document("Tell the relevant officer."), ["relevant officer"]),
    (
        "L29",
        document("The Kite Safety Officer checks.", roles=("Trust network manager", "Headteacher")),
        ["Kite Safety Officer"],
    ),
    ("L30", document("Ask your line manger."), ["manger"]),
    ("L30", document("The headtacher decides."), ["headtacher"]),
    (
        "L31",
        document("The Kite Manager and Wind Officer is responsible."),
        ["The Kite Manager and Wind Officer is"],
    ),
    ("L32", document("Kites of Westmere County Council are excluded."), ["Westmere County Council"]),
    ("L32", document("See www.westmere.gov.uk for more."), ["www.westmere.gov.uk"]),
    (
        "L32",
        document(
            "Ash - Grove Kites are red. Ash Grove Kites fly. Ash Grove Kites land.",
            header=header(organisation="Ash – Grove Kites (CIC)"),
        ),
        ["Ash – Grove Kites (CIC)", "Ash - Grove Kites"],
    ),
    ("L32", document("The school has kites. Bring them to the setting."), ["the setting"]),
    (
        "L32",
        document(
            "At Ashgrove Primary School kites fly.",
            source=Source.DRAFT,
            template=True,
            school_names=("Ashgrove Primary School",),
        ),
        ["Ashgrove Primary School"],
    ),
    ("L33", document("Pupils fly kites. Pupils land them. Students watch."), ["Students"]),
    ("L34", document("Consent is kept in ParentMail."), ["ParentMail"]),
    (
        "L34",
        document("The Network Lead (987Kites) helps.", "987Kites may be called."),
        ["987Kites", "987Kites"],
    ),
    ("L34", document(header=header(person_responsible="Nadia Perrin")), ["Nadia Perrin"]),
    ("L35", document("We post on Twitter."), ["Twitter"]),
    ("L36", document("The kite lost it's own tail."), ["it's"]),
    ("L36", document("The school and it's pupils fly."), ["it's"]),
    ("L36", document("It maybe a good day: this maybe a gust."), ["maybe", "maybe"]),
    ("L36", document("Pilots abide the rules and must not to run."), ["abide", "must not to"]),
    ("L36", document("Kites regarding to wind, and the and other."), ["regarding to", "the and"]),
    ("L36", document("The kite kite flies."), ["kite kite"]),
    ("L36", document("Kites help pupils/pupils in police enquires."), ["pupils/pupils", "enquires"]),
    (
        "L37",
        document("Moderation is the responsibility of the Kite lead.", "Name at least two moderators."),
        ["Moderation is the responsibility of the Kite lead"],
    ),
    (
        "L37",
        document("Parents are required to attend a meeting.", "Attending meetings where possible helps."),
        ["required to attend a meeting"],
    ),
    ("L38", about_safety("Kites fly."), ["document"]),
    ("L38", about_safety("A concern about the headteacher is told to the headteacher."), ["document"]),
    (
        "L39",
        about_safety(f"Concerns about the behaviour of an employee are passed to the {DSL}."),
        [f"Concerns about the behaviour of an employee are passed to the {DSL}"],
    ),
    (
        "L39",
        about_safety("Allegations against staff must be reported to the DSL."),
        ["Allegations against staff must be reported to the DSL"],
    ),
    ("L40", about_safety("Kites fly."), ["document"]),
    ("L41", about_safety("Keep screenshots of what you see."), ["screenshots"]),
    ("L42", document("Managers must not search for candidates online."), ["must not search for candidates"]),
    (
        "L43",
        document("All such flights are deemed criminal."),
        ["All such flights are deemed criminal"],
    ),
    (
        "L44",
        document("For further information ask the Kite lead.", "A broken line will mean a report."),
        ["A broken line will mean a report."],
    ),
    ("L44", document("Kites are flown with care and by the"), ["the"]),
    (
        "L45",
        document(
            "This policy applies to all staff at the school.",
            header=header(organisation="Larkfield Academies Trust"),
        ),
        ["applies to all staff at the school"],
    ),
    ("L46", document(header=header(person_responsible="Nadia Perrin")), ["Nadia Perrin"]),
    ("L46", document("Ask Mrs Perrin first."), ["Mrs Perrin"]),
    ("L47", document("See page 4 for knots."), ["page 4"]),
    ("L47", document(versions=versions({"version": "2", "reason": "Page 3: knots added"})), ["Page 3"]),
    ("L48", document("Tick what applies.\n\n- ☐ Red\n- ☐\n- ☐ Blue"), ["- ☐"]),
    ("L48", document("Tick what applies.\n\n- ☐ Red\n- Green\n- ☐ Blue"), ["- Green"]),
    (
        "L49",
        document(section("Legislation", "3"), clause("The Data Protection Act 2018.", "3.1")),
        ["Legislation"],
    ),
    ("L49", document("We hold personal data."), ["personal data"]),
    ("L50", document("Risks are content, contact and conduct."), ["content, contact and conduct"]),
    (
        "L50",
        document(
            clause("a", heading="Content"), clause("b", heading="Contact"), clause("c", heading="Conduct")
        ),
        ["Content"],
    ),
]

#: (rule, a document in which it keeps still although it looks alike)
QUIET: list[tuple[str, Document]] = [
    ("L01", document(section("Wind", "1"), clause("Strong", "1.1"), clause("Weak", "1.2"))),
    (
        "L01",
        document(
            clause("Lines", "1."),
            clause("x", "a)", depth=2),
            clause("Tails", "2."),
            clause("y", "a)", depth=2),
        ),
    ),
    ("L01", document(clause("Same", "1.1"), clause("Same", "1.1"), source=Source.DRAFT)),
    (
        "L02",
        document(
            section("Wind", "1"),
            clause("a", "1.1"),
            clause("b", "1.1.1", depth=2),
            clause("c", "1.1.2", depth=2),
            clause("d", "1.2"),
        ),
    ),
    ("L02", document(*(clause("x", f"{sign}.") for sign in "abcdefghijkl"))),
    ("L02", document(*(clause("x", f"{sign}.") for sign in ("i", "ii", "iii", "iv", "v", "vi")))),
    ("L03", document("The next review is in May 2027.", header=header(next_review_on="3 May 2027"))),
    (
        "L03",
        document(
            "The review looks at the kites that were sold in May 2021.",
            header=header(next_review_on="May 2027"),
        ),
    ),
    ("L04", document(header=header(next_review_on="1 September 2026"))),
    ("L04", document(header=header(next_review_on="2026"))),
    (
        "L05",
        document(
            "This policy is reviewed every year.",
            header=header(review_period="Annually", approved_on="May 2025", next_review_on="May 2026"),
        ),
    ),
    ("L05", document("The annual kite fair is in May.", header=header(review_period="Every 2 years"))),
    ("L06", document("Kites land. 18 March 2023", title="Kite policy March 2023")),
    ("L06", document("They were flown on 18 March 2021 by all.", title="Kite policy May 2023")),
    ("L07", document(header=header(approved_on="3 April 2024", next_review_on="April 2025"))),
    ("L07", document("See clause 4.1.12 and 1.2.24 of this policy.")),
    ("L07", document("The fair was on 14/05/2024.")),
    (
        "L08",
        document(
            versions=versions({"version": "1", "date": "May 2024", "reason": "First", "author": "Kite lead"})
        ),
    ),
    ("L08", document(header=header(change_log=""), source=Source.DRAFT)),
    ("L09", document(header=header(**FULL))),
    (
        "L09",
        document(
            "This policy is reviewed every year. The next review is due in May 2027.",
            header=header(reviewed_by="Kite lead", signed_by_chair="A. Chair", signed_on="1 May 2026"),
        ),
    ),
    ("L10", document(header=header(signed_by_chair=""))),
    ("L10", document(header=header(signed_by_chair="A. Chair", approved_on="1 May 2024"))),
    (
        "L11",
        document("This policy is reviewed by the governors.", header=header(approving_body="Governing body")),
    ),
    (
        "L11",
        document("The trust board reviews this policy.", header=header(approving_body="Board of trustees")),
    ),
    ("L12", document("See the Data Protection Act 2018 and UK GDPR.")),
    ("L12", document("The Defamation Act 1996 and the Defamation Act 2013 apply.")),
    ("L13", document("See the Malicious Communications Act 1988 and the Equality Act 2010.")),
    ("L13", document("The Kite Flying Act 2031 may come.")),
    ("L14", document("See the Equality Act 2010. The Equality Act protects pilots.")),
    ("L14", document("Act at once. The Act applies. Acts of kindness count.")),
    ("L15", document("The Crown Prosecution Service decides; the NCA CEOP Safety Centre helps.")),
    ("L16", document("Our Kite Safety Policy 2025 says more; see the current edition of KCSIE.")),
    ("L16", document("This policy covers the years 2017 to 2019.")),
    ("L17", document("Bring 14 kites.\n\n| 4 | kites |\n\n- 4\n\nThen and/or later/earlier they fly.")),
    ("L17", document("The fair is on 3 March 2027.")),
    ("L18", document("See clause 4. The pilot waits. In year 6. They fly.")),
    ("L18", document("Steps:\n\n1. Run.\n2. Jump.")),
    ("L19", document("The kite must be held.\n\nit is red")),
    ("L19", document("Bring:\n\n- a line\n\nand a tail.", clause("held high", "a)"))),
    ("L20", document("- Run\n- Jump\n\nA size o kite; 5 o'clock.")),
    (
        "L21",
        document(clause("Lines", "a.", depth=1), clause("x", "i.", depth=2), clause("y", "ii.", depth=2)),
    ),
    (
        "L22",
        document(
            clause("Rules", "4.1"),
            clause("x", "a)", depth=2),
            clause("y", "b)", depth=2),
            clause("See a-b in section 4.1.", "4.2"),
        ),
    ),
    (
        "L23",
        document(
            section("Wind", "1"),
            clause("See sections 1 and 2, and Appendix A.", "1.1"),
            section("Rain", "2"),
            appendix("Knots", "Appendix A"),
        ),
    ),
    (
        "L23",
        document(
            section("Wind", "1"),
            clause(
                "See section 127 of the Communications Act 2003 and paragraph 74 of Keeping children safe.",
                "1.1",
            ),
        ),
    ),
    ("L23", document(clause("See [[wind]].", key="wind"), source=Source.DRAFT)),
    ("L24", document("See the Wind Policy.", related=("Wind policy",))),
    ("L24", document("Use the Kite Request Agreement.", appendix("Kite Request Agreement", "Appendix A"))),
    ("L24", document("The Government Policy may change; our policy holds.")),
    ("L25", document("See the Kite Policy.", "The Wind Policy holds. The Kite Policy too.")),
    (
        "L26",
        document(
            "See the [form](https://kites.example/form) and {{role.head}}.",
            placeholders=frozenset({"role.head"}),
        ),
    ),
    ("L26", document(appendix("Form", "Appendix A"), clause("Name: ________", depth=1))),
    (
        "L27",
        document(
            clause("1. WIND .... 3\n2. Rain and\nsnow", heading="Contents", kind=Kind.SECTION, depth=0),
            section("Wind", "1"),
            section("Rain and snow", "2"),
        ),
    ),
    ("L28", document(section("Wind"), section("Rain"))),
    ("L29", document("The headteacher decides. The deputy head teacher and Executive Headteacher are told.")),
    ("L29", document("The Kite Safety Officer checks.", roles=("Kite safety officer",))),
    ("L30", document("The line manager, the trustees and the headteachers are trusted; hay in a manger.")),
    ("L31", document("The Kite Manager and Wind Officer are responsible. The wind and rain is bad.")),
    (
        "L32",
        document(
            "Westmere County Council helps. See www.gov.uk and www.legislation.gov.uk.",
            authorities=("Westmere County Council",),
        ),
    ),
    ("L32", document("The school asks for privacy settings; setting up takes a day.")),
    ("L32", document("Ash Grove Kites fly.", header=header(organisation="ASH GROVE KITES"))),
    ("L33", document("Pupils fly kites. Children may watch.")),
    (
        "L34",
        document(
            "The lead (DSL) keeps consent in {{supplier.consent_records}}.",
            header=header(person_responsible="Trust Network Manager", approving_body="Trust Board"),
        ),
    ),
    ("L35", document("We post on X (formerly Twitter) and Facebook.")),
    (
        "L36",
        document(
            "It's windy; pupils may be late. They had had enough, whether or not to fly, and abide by rules."
        ),
    ),
    ("L37", document("Moderation is the responsibility of the Kite lead.", "Name one moderator.")),
    ("L38", about_safety("A concern about the headteacher goes to the chair of governors.")),
    (
        "L38",
        about_safety(
            "A concern that involves the {{role.headteacher}} goes to the {{role.chair_of_governors}}."
        ),
    ),
    ("L38", document("Kites fly.")),
    (
        "L39",
        about_safety(
            "Concerns about the conduct of staff are reported to the headteacher."
            " Concerns about pupils are reported to the DSL."
        ),
    ),
    ("L39", about_safety("Concerns about adults are not sent to the DSL.")),
    ("L40", about_safety(f"Tell the {LADO}.")),
    (
        "L41",
        about_safety(
            "Keep screenshots.",
            "Never save, copy or send on an indecent image of a child: it is an offence to share it.",
        ),
    ),
    ("L42", document("We search online for shortlisted candidates and tell them.")),
    ("L43", document("Some of these acts may be criminal. All pilots are insured.")),
    ("L44", document("For further information ask the Kite lead.", clause("Lines break.", heading="Knots"))),
    ("L44", document("Kites are what we stand by.")),
    (
        "L45",
        document(
            "This policy applies to all staff at the trust and at the school.",
            header=header(organisation="Larkfield Academies Trust"),
        ),
    ),
    (
        "L45",
        document(
            "This policy applies to all staff at the school.", header=header(organisation="Ashgrove School")
        ),
    ),
    (
        "L46",
        document(header=header(person_responsible="Trust Network Manager", approving_body="Trust Board")),
    ),
    ("L47", document("Give families one page. Page 2 of 3")),
    ("L48", document("Tick what applies.\n\n- ☐ Red\n- ☐ Blue", "- Red\n- Blue")),
    (
        "L49",
        document(section("Legislation", "3"), clause("UK GDPR and the Data Protection Act 2018.", "3.1")),
    ),
    ("L49", document("Kites are data too.")),
    ("L50", document("Risks are content, contact, conduct and commerce.")),
    ("L50", document("Good conduct. The content of contact lists.")),
]


@pytest.mark.parametrize(
    ("rule", "read", "words"), FIRES, ids=[f"{one[0]}-{i}" for i, one in enumerate(FIRES)]
)
def test_a_rule_fires(rule: str, read: Document, words: list[str]) -> None:
    assert sorted(marked(rule, read)) == sorted(words)


@pytest.mark.parametrize(("rule", "read"), QUIET, ids=[f"{one[0]}-{i}" for i, one in enumerate(QUIET)])
def test_a_rule_keeps_still(rule: str, read: Document) -> None:
    assert marked(rule, read) == []


def test_the_catalogue_is_whole_and_every_rule_is_shown_both_ways() -> None:
    assert sorted(RULES) == [f"L{number:02}" for number in range(1, 51)]
    assert {one[0] for one in FIRES} == set(RULES)
    assert {one[0] for one in QUIET} == set(RULES)


def test_every_message_says_what_to_do() -> None:
    for rule, read, words in FIRES:
        for finding in found(rule, read) if words else ():
            assert finding.message.endswith((".", "”")), finding
            assert len(finding.message) > 15


def test_findings_carry_severity_and_certainty_of_their_rule() -> None:
    (wrong,) = found("L13", document("See the Equality Act 2012."))
    assert (wrong.severity, wrong.heuristic) == (Severity.ERROR, False)
    (guess,) = found(
        "L45", document("It applies to staff at the school.", header=header(organisation="Kite Trust"))
    )
    assert (guess.severity, guess.heuristic) == (Severity.WARNING, True)


def test_a_review_date_that_has_passed_is_only_a_warning_where_a_policy_is_looked_at() -> None:
    read = document(header=header(next_review_on="March 2025"))
    (before_approval,) = found("L04", read)
    (on_view,) = found("L04", document(header=header(next_review_on="March 2025"), view_only=True))
    assert before_approval.severity is Severity.ERROR
    assert on_view.severity is Severity.WARNING
    assert found("L04", read, today=TODAY.replace(year=2024)) == ()


def test_law_is_judged_by_the_day() -> None:
    read = document("See the Data Protection Act 1998.")
    assert found("L12", read, today=TODAY.replace(year=2017)) == ()
    assert len(found("L12", read)) == 1


def test_at_a_school_only_its_own_clauses_are_judged() -> None:
    theirs = clause("See the Data Protection Act 1998.", key="theirs")
    ours = clause("See the Data Protection Act 1998.", key="ours")
    read = document(replace(theirs, own=False), ours, source=Source.EDITION)
    assert [one.key for one in found("L12", read)] == ["ours"]


def test_the_mark_changes_with_the_words_and_not_with_the_clauses_around() -> None:
    text = "We post on Twitter."
    (one,) = found("L35", document(clause(text, key="a")))
    (moved,) = found("L35", document(clause("Kites fly.", key="b"), clause(text, key="a")))
    (changed,) = found("L35", document(clause("We also post on Twitter.", key="a")))
    assert one.mark == moved.mark
    assert one.mark != changed.mark
