"""Decisions about people, roles, words, colours and passwords."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import uuid4

import pytest

from trustportal.access import Role
from trustportal.errors import RuleBroken
from trustportal.tenants import domain
from trustportal.tenants.domain import Held, PlaceWords
from trustportal.tenants.tasks import waiting_words

DAY = date(2026, 9, 1)
SCHOOL = uuid4()


def test_a_membership_holds_on_its_first_and_on_its_last_day():
    held = Held(Role.STAFF, SCHOOL, DAY, DAY + timedelta(days=2))

    assert [held.holds_on(DAY + timedelta(days=offset)) for offset in (-1, 0, 1, 2, 3)] == [
        False,
        True,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("new", "field"),
    [
        (Held(Role.HEADTEACHER, None, DAY), "place"),
        (Held(Role.TRUSTEE, SCHOOL, DAY), "role"),
        (Held(Role.STAFF, SCHOOL, DAY, DAY - timedelta(days=1)), "to_on"),
        (Held(Role.GOVERNOR, SCHOOL, DAY + timedelta(days=5)), "from_on"),
    ],
)
def test_a_role_begins_only_where_and_when_it_can(new, field):
    existing = [Held(Role.GOVERNOR, SCHOOL, DAY, DAY + timedelta(days=10))]

    with pytest.raises(RuleBroken) as refused:
        domain.check_beginning(new, existing)

    assert refused.value.field == field


def test_the_same_role_can_be_held_again_after_it_ended_and_elsewhere_at_once():
    existing = [Held(Role.STAFF, SCHOOL, DAY, DAY + timedelta(days=10))]

    domain.check_beginning(Held(Role.STAFF, SCHOOL, DAY + timedelta(days=11)), existing)
    domain.check_beginning(Held(Role.STAFF, uuid4(), DAY), existing)


def test_a_role_cannot_begin_at_a_school_that_has_left():
    with pytest.raises(RuleBroken):
        domain.check_beginning(Held(Role.STAFF, SCHOOL, DAY), [], school_to=DAY)


def test_the_last_network_manager_cannot_go():
    mine = Held(Role.NETWORK_MANAGER, None, DAY)

    with pytest.raises(RuleBroken):
        domain.check_ending(mine, to_on=DAY, others=[Held(Role.NETWORK_MANAGER, None, DAY, DAY)], today=DAY)
    domain.check_ending(
        mine, to_on=DAY, others=[Held(Role.NETWORK_MANAGER, None, DAY + timedelta(days=1))], today=DAY
    )


def test_a_role_that_has_ended_does_not_come_back_by_moving_its_end() -> None:
    gone = Held(Role.STAFF, None, DAY - timedelta(days=90), DAY - timedelta(days=10))
    domain.check_ending(gone, to_on=DAY - timedelta(days=20), others=[], today=DAY)
    for later in (DAY, DAY + timedelta(days=30)):
        with pytest.raises(RuleBroken, match="This role ended on"):
            domain.check_ending(gone, to_on=later, others=[], today=DAY)
    serving = Held(Role.STAFF, None, DAY - timedelta(days=90), DAY + timedelta(days=3))
    domain.check_ending(serving, to_on=DAY + timedelta(days=30), others=[], today=DAY)


def test_somebody_has_left_when_nothing_holds_and_nothing_will():
    assert domain.has_left([Held(Role.STAFF, SCHOOL, DAY, DAY)], DAY + timedelta(days=1))
    assert not domain.has_left([Held(Role.STAFF, SCHOOL, DAY, DAY)], DAY)
    assert not domain.has_left([Held(Role.STAFF, SCHOOL, DAY + timedelta(days=9))], DAY)


def test_roles_beyond_signing_need_a_second_factor():
    assert {
        Role.NETWORK_MANAGER,
        Role.TRUSTEE,
        Role.CHAIR_OF_TRUST_BOARD,
        Role.VICE_CHAIR_OF_TRUST_BOARD,
        Role.VICE_CHAIR_OF_GOVERNORS,
        Role.CLERK,
        Role.CEO,
        Role.HR_LEAD,
        Role.DPO,
        Role.HEADTEACHER,
        Role.CHAIR_OF_GOVERNORS,
        Role.DSL,
        Role.BUSINESS_MANAGER,
    } == domain.SECOND_FACTOR_ROLES


def test_values_come_from_the_school_then_the_trust_and_names_cannot_be_overridden():
    words = PlaceWords(
        "Larkfield Academies Trust",
        {"clerk": "Company secretary", "headteacher": "Principal"},
        "Ashgrove Primary School",
        "Ashgrove",
        {"headteacher": "Head of School"},
    )

    values = domain.all_values(
        words,
        of_trust={"contact.dpo": "dpo@larkfield.example", "contact.lado": "trust", "school.name": "no"},
        of_school={"contact.lado": "01632 960101", "contact.dpo": " "},
    )

    assert values["school.name"] == "Ashgrove Primary School"
    assert values["role.headteacher"] == "Head of School"
    assert values["role.clerk"] == "Company secretary"
    assert values["role.dsl"] == "Designated safeguarding lead"
    assert values["contact.dpo"] == "dpo@larkfield.example"
    assert values["contact.lado"] == "01632 960101"


def test_at_the_trust_itself_the_school_is_the_trust():
    values = domain.all_values(PlaceWords("Larkfield", {}), of_trust={})

    assert values["school.name"] == values["trust.name"] == "Larkfield"


def test_settings_keep_what_they_do_not_know():
    stored = {"role_labels": {"clerk": "Secretary"}, "routes": [1, 2]}

    assert domain.TrustSettings.read(stored).stored() == stored
    assert domain.TrustSettings.read({}).stored() == {"role_labels": {}}


@pytest.mark.parametrize(
    "name", ["Contact.Lado", "lado", "school.name", "role.head", "a..b", "x" * 90 + ".y"]
)
def test_a_placeholder_needs_a_usable_name(name):
    with pytest.raises(RuleBroken):
        domain.check_placeholder_name(name)


@pytest.mark.parametrize(
    ("colour", "accepted"),
    [
        ("#1f4b7a", True),
        ("#FFFFFF", False),
        ("#ffff00", False),
        ("red", False),
        ("#12345", False),
        ("#00703C", True),
    ],
)
def test_white_text_must_be_readable_on_a_trusts_colour(colour, accepted):
    if accepted:
        assert domain.check_colour(colour) == colour.lower()
    else:
        with pytest.raises(RuleBroken):
            domain.check_colour(colour)


def test_black_and_white_have_the_contrasts_of_the_standard():
    assert round(domain.contrast_with_white("#000000"), 2) == 21
    assert round(domain.contrast_with_white("#ffffff"), 2) == 1
    assert round(domain.contrast_with_white("#767676"), 2) == 4.54


@pytest.mark.parametrize(
    "password", ["short", "password1", "PASSWORD1", "aaaaaaaaaa", "ababababab", "hana.head", "x" * 257]
)
def test_a_weak_password_is_refused(password):
    with pytest.raises(RuleBroken):
        domain.check_password(password, common=frozenset({"password1"}), own=("hana.head@larkfield.example",))


@pytest.mark.parametrize("password", ["correct horse", "ünïcödé words", "x y z " * 11, "eight8ch"])
def test_a_long_enough_password_is_accepted_whatever_it_is_made_of(password):
    domain.check_password(password, common=frozenset(), own=("hana.head@larkfield.example",))


@pytest.mark.parametrize(
    ("written", "found"),
    [(" Hana.Head@Larkfield.Example ", "hana.head@larkfield.example"), ("", None), (None, None)],
)
def test_addresses_are_compared_in_small_letters(written, found):
    assert domain.normal_email(written) == found


@pytest.mark.parametrize(
    "written", ["hana", "hana@", "@larkfield.example", "a b@larkfield.example", "hana@larkfield"]
)
def test_what_is_no_address_is_refused(written):
    with pytest.raises(RuleBroken):
        domain.normal_email(written)


@pytest.mark.parametrize(
    ("name", "slug"),
    [("St Mary’s C of E Primary", "st-marys-c-of-e-primary"), ("Ashgrove", "ashgrove"), ("—", "school")],
)
def test_names_in_addresses_are_readable(name, slug):
    assert domain.slug_of(name) == slug


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "Nothing needs you today."),
        (1, "One thing needs you. Nothing else is waiting."),
        (3, "Three things need you. Nothing else is waiting."),
        (40, "40 things need you. Nothing else is waiting."),
    ],
)
def test_the_home_page_says_how_much_is_waiting(count, words):
    assert waiting_words(count) == words
