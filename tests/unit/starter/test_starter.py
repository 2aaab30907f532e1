"""The starter template and the demonstration trust hold together, and the template keeps the rules of the field."""

import re
from collections import Counter

import pytest

from trustportal.access import Role
from trustportal.errors import RuleBroken
from trustportal.policies.domain.answers import check_added, check_override
from trustportal.policies.domain.clauses import Kind, Mode, Tree, by_key
from trustportal.policies.domain.merge import ConflictFound, Merged, merge3
from trustportal.policies.domain.references import dangling, referring_to
from trustportal.policies.domain.resolve import resolve
from trustportal.policies.starter.loading import (
    SchoolAnswers,
    StarterFault,
    load_demonstration,
    load_template,
    read_builtin,
)

TEMPLATE = load_template(read_builtin("social_media"))
DEMONSTRATION = load_demonstration(read_builtin("demonstration"))
SLUGS = tuple(school.slug for school in DEMONSTRATION.schools)
TEXTS = {clause.key: f"{clause.heading}\n{clause.text}" for clause in TEMPLATE.tree}

MINIMAL = """
header: {title: T, reference: R, audience: A, person_responsible: P, approving_body: B, review_months: 12,
         related: [], statutory: no, public: yes}
numbering: decimal
placeholders:
  - {name: school.name, label: L, hint: H, example: E, kind: text}
clauses:
  - key: one
    kind: section
    heading: One
    clauses:
      - {key: first, kind: clause, text: "{{school.name}} and [[one]]"}
"""


def with_text(text: str) -> str:
    return MINIMAL.replace("{{school.name}} and [[one]]", text)


# The template


def test_the_template_is_a_whole_policy() -> None:
    modes = Counter(clause.mode for clause in TEMPLATE.tree)
    assert 90 <= len(TEMPLATE.tree) <= 115
    assert modes[Mode.ADAPTABLE] >= 25
    assert modes[Mode.EXTEND] >= 15
    assert sum(clause.kind is Kind.APPENDIX for clause in TEMPLATE.tree) == 2
    TEMPLATE.header.check()
    assert TEMPLATE.header.review_months == 12
    assert (TEMPLATE.header.statutory, TEMPLATE.header.public) == (False, True)


@pytest.mark.parametrize(
    "key",
    [
        "law",
        "account-approval",
        "account-separate-people",
        "account-people",
        "account-security",
        "contact-pupils",
        "declare-relationship",
        "parents-restriction",
        "parents-conflict",
        "parents-complaints",
        "image-consent",
        "immediate-danger",
        "harm-threshold",
        "harm-limb-harmed",
        "harm-limb-offence",
        "harm-limb-risk",
        "harm-limb-suitability",
        "who-to-tell",
        "about-the-head",
        "conflict-or-doubt",
        "lado-contact",
        "low-level-concerns",
        "reporting-restriction",
        "image-evidence",
        "recruitment",
    ],
)
def test_what_keeps_people_safe_is_locked(key: str) -> None:
    assert by_key(TEMPLATE.tree)[key].mode is Mode.LOCKED


def test_a_concern_about_the_head_never_goes_to_the_head() -> None:
    text = TEXTS["about-the-head"]
    assert "{{role.chair_of_governors}}" in text
    assert re.search(r"never goes to the\s+\{\{role\.headteacher\}\}, nor to anybody whom the", text)
    assert "{{contact.lado}}" in TEXTS["conflict-or-doubt"]
    assert "one working day" in TEXTS["lado-contact"]


def test_whenever_evidence_is_asked_for_the_rule_on_indecent_images_is_named() -> None:
    asks = [
        key for key, text in TEXTS.items() if re.search(r"keep (?:a|the) (?:screenshot|message|copy)", text)
    ]
    asks += [key for key, text in TEXTS.items() if "keeps the message" in text or "keeps a copy" in text]
    assert {"ordinary-evidence", "contact-attempts", "comments"} <= set(asks)
    for key in asks:
        assert "[[image-evidence]]" in TEXTS[key], key


@pytest.mark.parametrize(
    "pattern",
    [
        r"Data Protection Act 1998",
        r"Malicious Communications Act (?!1988)",
        r"(?<!UK )GDPR",
        r"\bAct\b(?! \d{4})",
        r"Criminal Prosecution Service|CEOP Centre|Ofsted handbook|ESFA|NCTL|LSCB",
        r"(?i)safe in education\*?,? \(?20\d\d",
        r"(?i)facebook|twitter|instagram|tiktok|whatsapp|snapchat|youtube",
        r"(?i)\b(?:students?|setting|guardians?|young people)\b",
        r"(?i)head ?teacher|\bprincipal\b|\bDSL\b|\bSBM\b",
        r"[a-z.] \d{1,3}\. [A-Z]",
        r" o [A-Z]|✦",
        r"\]\(#\)",
        r"\b[Pp]age \d",
    ],
)
def test_the_template_has_none_of_the_faults_that_policies_have(pattern: str) -> None:
    prose = {key: re.sub(r"\{\{.*?\}\}|\[\[.*?\]\]", "…", text) for key, text in TEXTS.items()}
    assert {key: text for key, text in prose.items() if re.search(pattern, text)} == {}


def test_every_clause_but_the_limbs_of_a_list_has_a_heading() -> None:
    assert [clause.key for clause in TEMPLATE.tree if not clause.heading] == [
        "harm-limb-harmed",
        "harm-limb-offence",
        "harm-limb-risk",
        "harm-limb-suitability",
    ]


def test_every_related_policy_that_a_clause_names_is_in_the_header() -> None:
    related = {name.lower() for name in TEMPLATE.header.related}
    whole = " ".join(" ".join(TEXTS.values()).split())
    assert [name for name in related if name not in whole.lower()] == []


@pytest.mark.parametrize("slug", [None, *SLUGS])
def test_at_no_place_is_a_concern_sent_to_the_person_it_is_about(slug: str | None) -> None:
    clause = next(
        one
        for one in resolve(TEMPLATE.tree, TEMPLATE.numbering, {}, (), DEMONSTRATION.values_at(slug)).clauses
        if one.key == "who-to-tell"
    )
    rows = [
        line.strip("| ").split(" | ") for line in clause.text.lower().splitlines() if line.startswith("|")
    ][2:]
    assert len(rows) == 6
    for about, told in rows:
        assert told not in about


# Broken files


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- [", "not YAML"),
        ("", "file: Input should be"),
        (MINIMAL.replace("statutory: no", "statutory: perhaps"), "header.statutory"),
        (MINIMAL.replace("kind: section", "kind: chapter"), "clauses.0.kind"),
        (MINIMAL.replace("heading: One", "headline: One"), "clauses.0.headline: Extra inputs"),
        (MINIMAL.replace("key: first", "key: one"), "Two clauses have the key"),
        (with_text("{{school.name}} and [[two]]"), "“first” refers to “two”"),
        (with_text("{{school.name}} {{school.pets}}"), "does not define: school.pets"),
        (with_text("{{School Name}}"), "not a name"),
        (with_text("nothing"), "does not use: school.name"),
    ],
)
def test_a_broken_template_says_where(text: str, message: str) -> None:
    with pytest.raises(StarterFault, match=re.escape(message)):
        load_template(text)


def test_the_minimal_template_of_these_tests_is_sound() -> None:
    assert [clause.key for clause in load_template(MINIMAL).tree] == ["one", "first"]


@pytest.mark.parametrize("name", ["nothing", "../access", "Loading", ""])
def test_only_shipped_files_are_read(name: str) -> None:
    with pytest.raises(StarterFault, match="There is no starter file"):
        read_builtin(name)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("{role: network_manager, from: 2021-01-04}", "{role: dsl, from: 2021-01-04}", "is held at a school"),
        (
            "{role: clerk, from: 2021-09-01}",
            "{role: clerk, school: ashgrove, from: 2021-09-01}",
            "held at the trust",
        ),
        (
            "school: northgate, from: 2023-11-13",
            "school: eastgate, from: 2023-11-13",
            "not a school of this trust",
        ),
        ("to: 2026-08-31", "to: 2020-08-31", "ends after it begins"),
        ("email: edwin.clough@", "email: rhona.tait@", "stands here twice"),
        ("    description: Chairs the trust board. Sees what changed and votes.\n", "", "needs an e-mail"),
        ("      key: own-life\n      text: >-", "      key: own-life\n      words: >-", "Extra inputs"),
    ],
)
def test_a_broken_demonstration_says_what_is_wrong(old: str, new: str, message: str) -> None:
    text = read_builtin("demonstration")
    assert old in text
    with pytest.raises(StarterFault, match=message):
        load_demonstration(text.replace(old, new))


# The demonstration trust


def test_the_demonstration_is_invented() -> None:
    addresses = re.findall(r"[\w.]+@[\w.-]+|www\.[\w.-]+", read_builtin("demonstration"))
    assert addresses
    assert all(address.endswith(".example") for address in addresses)
    numbers = re.findall(r"\b0\d{4} ?\d{6}\b|\b0\d{3,4} \d{3} ?\d{3,4}\b", read_builtin("demonstration"))
    assert numbers
    assert all(number.startswith("01632 960") for number in numbers)


@pytest.mark.parametrize("slug", [None, *SLUGS])
def test_every_place_fills_every_slot(slug: str | None) -> None:
    values = DEMONSTRATION.values_at(slug)
    assert {slot.name for slot in TEMPLATE.placeholders} == set(values)
    assert all(value.strip() for value in values.values())


@pytest.mark.parametrize("slug", SLUGS)
def test_every_school_has_a_head_and_somebody_else_to_hear_about_the_head(slug: str) -> None:
    holders: dict[Role, set[str]] = {}
    for person in DEMONSTRATION.people:
        for at in person.memberships:
            if at.school == slug:
                holders.setdefault(at.role, set()).add(person.name)
    for role in (Role.HEADTEACHER, Role.CHAIR_OF_GOVERNORS, Role.DSL, Role.BUSINESS_MANAGER):
        assert len(holders[role]) == 1, role
    assert holders[Role.HEADTEACHER].isdisjoint(holders[Role.CHAIR_OF_GOVERNORS])
    assert 5 <= len(holders[Role.STAFF]) <= 12


def test_the_people_that_the_story_needs_are_there() -> None:
    held = Counter(at.role for person in DEMONSTRATION.people for at in person.memberships)
    assert held[Role.TRUSTEE] == 3
    for role in (
        Role.NETWORK_MANAGER,
        Role.CHAIR_OF_TRUST_BOARD,
        Role.CLERK,
        Role.CEO,
        Role.HR_LEAD,
        Role.DPO,
    ):
        assert held[role] == 1, role
    for role in (Role.SUPPLY, Role.CONTRACTOR, Role.VOLUNTEER, Role.GOVERNOR, Role.CENTRAL_STAFF):
        assert held[role] >= 1, role
    in_two = [
        person.name
        for person in DEMONSTRATION.people
        if len({at.school for at in person.memberships if at.school}) == 2
    ]
    assert len(in_two) == 1
    assert sum(person.shown for person in DEMONSTRATION.people) >= 12


@pytest.mark.parametrize("answers", DEMONSTRATION.answers, ids=lambda one: one.school)
def test_every_answer_is_allowed_by_the_mode_of_its_clause(answers: SchoolAnswers) -> None:
    for override in answers.overrides(TEMPLATE.tree).values():
        check_override(TEMPLATE.tree, override)
    for one in answers.added():
        check_added(TEMPLATE.tree, one, answers.added())


def test_the_schools_answer_differently() -> None:
    counts = {
        answers.school: (
            sum(one.answer == "replace" for one in answers.overrides(TEMPLATE.tree).values()),
            sum(one.answer == "leave_out" for one in answers.overrides(TEMPLATE.tree).values()),
            len(answers.added()),
        )
        for answers in DEMONSTRATION.answers
    }
    assert counts == {
        "ashgrove": (2, 0, 1),
        "st-brannocs": (1, 1, 0),
        "hazel-lodge": (3, 1, 2),
        "northgate": (0, 0, 1),
    }


@pytest.mark.parametrize("answers", DEMONSTRATION.answers, ids=lambda one: one.school)
def test_every_school_resolves_without_a_gap_or_a_warning(answers: SchoolAnswers) -> None:
    for tree in (TEMPLATE.tree, DEMONSTRATION.second_version.apply(TEMPLATE.tree)):
        resolved = resolve(
            tree,
            TEMPLATE.numbering,
            answers.overrides(TEMPLATE.tree),
            answers.added(),
            DEMONSTRATION.values_at(answers.school),
        )
        assert resolved.missing == ()
        assert resolved.warnings == ()
        assert not any("{{" in clause.text or "[[" in clause.text for clause in resolved.clauses)


def test_the_second_version_changes_five_clauses() -> None:
    after = DEMONSTRATION.second_version.apply(TEMPLATE.tree)
    old, new = by_key(TEMPLATE.tree), by_key(after)
    assert set(new) - set(old) == {"fake-accounts"}
    assert set(old) - set(new) == {"paid-promotion"}
    assert {key for key in old.keys() & new.keys() if old[key] != new[key]} == {
        "posting-times",
        "contact-channels",
        "own-life",
    }
    assert dangling(after) == ()
    assert referring_to(after, "paid-promotion") == ()
    marks = DEMONSTRATION.second_version.marks()
    assert len(marks) == 5
    assert [key for key, mark in marks.items() if mark["weight"] == "editorial"] == ["own-life"]


def merged(school: str, key: str) -> Merged | ConflictFound:
    answers = next(one for one in DEMONSTRATION.answers if one.school == school)
    override = answers.overrides(TEMPLATE.tree)[key]
    theirs = by_key(DEMONSTRATION.second_version.apply(TEMPLATE.tree))[key].text
    assert override.text is not None
    return merge3(override.base_text, override.text, theirs)


def test_the_second_version_touches_what_ashgrove_changed() -> None:
    assert isinstance(merged("ashgrove", "posting-times"), ConflictFound)


def test_the_second_version_merges_with_what_hazel_lodge_changed() -> None:
    both = merged("hazel-lodge", "contact-channels")
    assert isinstance(both, Merged)
    assert "between 7am and 8pm on any day of the week" in both.text
    assert "in the safeguarding record on the same day" in both.text


def test_a_second_version_needs_the_clauses_that_it_changes() -> None:
    without: Tree = tuple(clause for clause in TEMPLATE.tree if clause.key != "own-life")
    with pytest.raises(RuleBroken, match="own-life"):
        DEMONSTRATION.second_version.apply(without)
    with pytest.raises(StarterFault, match="posting-times"):
        DEMONSTRATION.answers[0].overrides(without[:3])
