"""Who may use which address: the matrix of `access.GRANTS` against every route, method and role."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.integration.conftest import PortalClient
from tests.integration.sweeps.addresses import Address, addresses, foreign, is_typed
from tests.integration.sweeps.conftest import Estate
from tests.integration.sweeps.estate import Furnished
from tests.world import Someone
from trustportal.access import EVERYWHERE, GRANTS, OFFICER_ROLES, SCHOOL_ROLES, UPWARDS, Permission, Role
from trustportal.web import every_route_declares_access


class Answer(StrEnum):
    """What an address answers to somebody."""

    IN = "comes in"
    REFUSED = "403"
    MISSING = "404"
    SIGN_IN = "is asked to sign in"


@dataclass(frozen=True, slots=True)
class Subject:
    """Somebody who tries, with the roles that they hold today in our trust."""

    name: str
    client: PortalClient
    person: Someone | None = None
    member: bool = False
    at_trust: frozenset[Role] = frozenset()
    at_ashgrove: frozenset[Role] = frozenset()
    at_birchwood: frozenset[Role] = frozenset()

    @property
    def is_officer(self) -> bool:
        """Whether they see every school's rows."""
        return bool(self.at_trust & OFFICER_ROLES)

    def may_at_trust(self, permission: Permission) -> bool:
        """By the grants alone."""
        below = self.at_ashgrove | self.at_birchwood
        return _grant(self.at_trust, permission) or (permission in UPWARDS and _grant(below, permission))

    def may_at_ashgrove(self, permission: Permission) -> bool:
        """By the grants alone."""
        reaches = permission in EVERYWHERE and self.is_officer and _grant(self.at_trust, permission)
        return reaches or _grant(self.at_ashgrove, permission)

    def may_anywhere(self, permission: Permission) -> bool:
        """By the grants alone."""
        return self.may_at_trust(permission) or _grant(self.at_ashgrove | self.at_birchwood, permission)


def _grant(roles: frozenset[Role], permission: Permission) -> bool:
    return any(permission in GRANTS[role] for role in roles)


def predicted(address: Address, subject: Subject) -> Answer:
    """What the declared access and the grants say. Public addresses are not asked here."""
    if subject.person is None:
        return Answer.SIGN_IN
    if address.access.account_only:
        return Answer.IN
    if not subject.member:
        return Answer.MISSING
    at_school = "school" in address.rule.arguments
    if at_school and not (subject.is_officer or subject.at_ashgrove):
        return Answer.MISSING
    permissions = address.access.permission
    if not permissions:
        return Answer.IN
    if address.access.at == "trust":
        may = any(map(subject.may_at_trust, permissions))
    elif at_school:
        may = any(map(subject.may_at_ashgrove, permissions))
    else:
        may = any(map(subject.may_anywhere, permissions))
    return Answer.IN if may else Answer.REFUSED


# -- where a view looks further than its route can say -----------------------------------------------------------


def _own_only(subject: Subject, at: Furnished) -> Answer:
    """What somebody is asked to sign is theirs alone; to others of the trust it is missing."""
    return Answer.IN if subject.person == at.reader else Answer.MISSING


def _signature(subject: Subject, at: Furnished) -> Answer:
    """A receipt is read by who signed, and by those who oversee signing or take the evidence at that school."""
    may = map(subject.may_at_ashgrove, (Permission.ACCEPTANCE_OVERSEE, Permission.ACCEPTANCE_EVIDENCE))
    return Answer.IN if any(may) else _own_only(subject, at)


def _packed(subject: Subject, _at: Furnished) -> Answer:
    """The evidence of Ashgrove, for those who may take it there."""
    return Answer.IN if subject.may_at_ashgrove(Permission.ACCEPTANCE_EVIDENCE) else Answer.MISSING


def _scan(subject: Subject, at: Furnished) -> Answer:
    """The paper of somebody at Ashgrove who is not among those who try."""
    return Answer.MISSING if subject.person == at.reader else _signature(subject, at)


def _asked(subject: Subject, at: Furnished) -> Answer:
    """The trust's run is seen by those who are asked, who records minutes, and who sent it."""
    board = {Role.TRUSTEE, Role.CHAIR_OF_TRUST_BOARD, Role.CLERK, Role.NETWORK_MANAGER}
    return Answer.IN if subject.at_trust & board else Answer.MISSING


def _chair(subject: Subject, at: Furnished) -> Answer:
    """Only the chair of the trust board acts alone; who may not see the run finds nothing."""
    if _asked(subject, at) is Answer.MISSING:
        return Answer.MISSING
    return Answer.IN if Role.CHAIR_OF_TRUST_BOARD in subject.at_trust else Answer.REFUSED


def _writer(subject: Subject, at: Furnished) -> Answer:
    """The trust's own drafts are its office's; a head writes the school's own policies only."""
    return Answer.IN if Role.NETWORK_MANAGER in subject.at_trust else Answer.REFUSED


def _consulted(subject: Subject, at: Furnished) -> Answer:
    """A draft that is open for comment is seen by the posts that are asked, anywhere, and by who writes it."""
    held = subject.at_trust | subject.at_ashgrove | subject.at_birchwood
    return Answer.IN if held & {Role.HEADTEACHER, Role.CEO, Role.NETWORK_MANAGER} else Answer.MISSING


def _seen(subject: Subject, at: Furnished) -> Answer:
    """Somebody of Ashgrove is seen by the trust's officers and at Ashgrove."""
    return Answer.IN if subject.is_officer or subject.at_ashgrove else Answer.MISSING


def _question(subject: Subject, at: Furnished) -> Answer:
    """A question is read by who asked it, and by the heads, whom it went to."""
    asked = Role.HEADTEACHER in subject.at_ashgrove
    return Answer.IN if asked or subject.person == at.reader else Answer.MISSING


def _looked_after(subject: Subject, _at: Furnished) -> Answer:
    """Somebody of Ashgrove: their signing is looked after by those who oversee it there."""
    return Answer.IN if subject.may_at_ashgrove(Permission.ACCEPTANCE_OVERSEE) else Answer.MISSING


#: What the trust's office does with a draft; the addresses of the sweep name one of the trust's.
WRITING = {
    (method, f"drafts.{name}"): _writer
    for method, names in {
        "GET": (
            *("edit", "header", "clause", "add", "remove", "pdf", "word", "submit", "publish", "publication"),
        ),
        "POST": (
            *("start", "header", "clause", "preview", "add", "move", "remove", "ask_for_pdf", "modes"),
            *("submit", "withdraw", "discard", "publish"),
        ),
    }.items()
    for name in names
}


def _takes_part(subject: Subject, at: Furnished) -> Answer:
    """A case is there for its starter, its line manager, and the school's heads and business managers alone."""
    watching = {Role.HEADTEACHER, Role.BUSINESS_MANAGER, Role.LINE_MANAGER}
    inside = subject.person == at.reader or subject.at_ashgrove & watching
    return Answer.IN if inside else Answer.MISSING


def _has_it(subject: Subject, at: Furnished) -> Answer:
    """The task of the case is the line manager's."""
    return Answer.IN if Role.LINE_MANAGER in subject.at_ashgrove else Answer.MISSING


def _may_ask(subject: Subject, at: Furnished) -> Answer:
    """An account is asked for by those who work at the school."""
    working = {
        Role.HEADTEACHER,
        Role.DEPUTY_HEADTEACHER,
        Role.DSL,
        Role.BUSINESS_MANAGER,
        Role.LINE_MANAGER,
        Role.STAFF,
    }
    return Answer.IN if subject.at_ashgrove & working else Answer.MISSING


def _asked_to_dispose(subject: Subject, at: Furnished) -> Answer:
    """Whether a record goes is asked of the data protection officer, and of one chair."""
    return Answer.IN if subject.person == at.people[Role.DPO] else Answer.MISSING


def _asked_about_cases(subject: Subject, at: Furnished) -> Answer:
    """An archive with case records is decided about by the two who were asked."""
    two = (at.people[Role.DPO], at.people[Role.CHAIR_OF_TRUST_BOARD])
    return Answer.IN if subject.person in two else Answer.MISSING


def _collects(subject: Subject, at: Furnished) -> Answer:
    """An archive is taken by whoever asked for it."""
    return Answer.IN if subject.person == at.world.manager else Answer.MISSING


def _writer_or_missing(subject: Subject, at: Furnished) -> Answer:
    """A proposal is taken back by who made it: the network manager."""
    return Answer.IN if subject.person == at.world.manager else Answer.MISSING


def _names_no_step(_subject: Subject, _at: Furnished) -> Answer:
    """An empty form names no step of the workflow: that is missing, for the network manager too."""
    return Answer.MISSING


def _at_their_place(subject: Subject, _at: Furnished) -> Answer:
    """A form is of one place: whoever oversees one school need not name it, an officer of the trust does."""
    return Answer.MISSING if subject.is_officer else Answer.IN


def _of_their_place(subject: Subject, at: Furnished) -> Answer:
    """The form of somebody at Ashgrove."""
    return _at_their_place(subject, at) if subject.at_ashgrove else Answer.MISSING


#: By method and endpoint; asked only where the grants let somebody in. The docstrings say why.
def _brought(subject: Subject, at: Furnished) -> Answer:
    """What was read in a file is seen by whoever brought it: here the head."""
    return Answer.IN if subject.person.id == at.people[Role.HEADTEACHER].id else Answer.MISSING


FURTHER: dict[tuple[str, str], Callable[[Subject, Furnished], Answer]] = {
    **WRITING,
    **{
        (method, f"acceptance.{name}"): _looked_after
        for method, name in (
            ("GET", "person"),
            ("POST", "remind_person"),
            *((method, name) for method in ("GET", "POST") for name in ("absence", "line_manager", "paper")),
            ("GET", "end_absence"),
            ("POST", "end_absence"),
        )
    },
    ("GET", "school_policies.brought"): _brought,
    ("POST", "school_policies.correct_brought"): _brought,
    ("POST", "school_policies.compare_brought"): _brought,
    ("GET", "acceptance.blank_forms"): _at_their_place,
    ("GET", "acceptance.paper_form"): _of_their_place,
    ("GET", "acceptance.scan"): _scan,
    ("GET", "acceptance.evidence_pack"): _packed,
    ("GET", "acceptance.evidence_file"): _packed,
    ("GET", "acceptance.certificate"): _signature,
    ("POST", "acceptance.certificate"): _signature,
    ("GET", "acceptance.certificate_pdf"): _signature,
    ("GET", "acceptance.ask"): _own_only,
    ("POST", "acceptance.ask"): _own_only,
    ("GET", "acceptance.question"): _question,
    ("POST", "acceptance.question"): _question,
    ("GET", "acceptance.sign"): _own_only,
    # An empty form names no edition: that is an id from outside that is missing, for the signer too.
    ("POST", "acceptance.sign"): lambda _subject, _at: Answer.MISSING,
    ("GET", "acceptance.policy_to_sign"): _own_only,
    ("GET", "acceptance.receipt"): _signature,
    ("GET", "acceptance.signed_policy"): _signature,
    ("GET", "approvals.show"): _asked,
    ("GET", "approvals.whole"): _asked,
    ("POST", "approvals.decide"): _asked,
    ("GET", "consulting.show"): _consulted,
    ("POST", "consulting.comment"): _consulted,
    ("GET", "approvals.chairs_action"): _chair,
    ("POST", "approvals.chairs_action"): _chair,
    ("GET", "tenants.person"): _seen,
    **{
        (method, f"cases.{name}"): _own_only
        for method in ("GET", "POST")
        for name in ("record", "add_subject", "hold", "take_up_again")
    },
    ("POST", "cases.decide_kept"): _asked_to_dispose,
    ("POST", "archives.decide"): _asked_about_cases,
    ("POST", "archives.take"): _collects,
    ("POST", "archives.discard"): _collects,
    ("POST", "workflows.recipients_withdraw"): _writer_or_missing,
    ("GET", "cases.show"): _takes_part,
    ("GET", "cases.document"): _takes_part,
    ("GET", "cases.calendar"): _takes_part,
    ("POST", "cases.end_tie"): _own_only,
    ("POST", "cases.add_note"): _takes_part,
    ("POST", "cases.hand_over"): _takes_part,
    ("POST", "cases.act"): _has_it,
    ("POST", "cases.step_back"): _has_it,
    ("GET", "cases.change"): _own_only,
    ("POST", "cases.change"): _own_only,
    ("GET", "cases.start"): _may_ask,
    ("POST", "cases.start"): _may_ask,
    ("GET", "cases.draft"): _own_only,
    ("POST", "cases.draft"): _own_only,
    ("POST", "cases.discard"): _own_only,
    ("POST", "workflows.deadline"): _names_no_step,
    ("POST", "workflows.add_approver"): _names_no_step,
    ("POST", "workflows.remove_approver"): _names_no_step,
    ("POST", "workflows.remove_step"): _names_no_step,
    ("POST", "workflows.letter"): _names_no_step,
    ("POST", "workflows.limit"): _names_no_step,
    ("POST", "workflows.target"): _names_no_step,
    # The address names a browser of nobody.
    ("POST", "account.end_session"): lambda _subject, _at: Answer.MISSING,
}


def answer_of(response: TestResponse) -> Answer | str:
    """What the answer amounts to; an unexpected status as it is."""
    where = response.headers.get("Location", "")
    if response.status_code == 303 and where.startswith("/sign-in"):
        return Answer.SIGN_IN
    if response.status_code in {200, 202, 204, 303, 409, 422}:  # 202: a paper that is being made
        return Answer.IN
    return {403: Answer.REFUSED, 404: Answer.MISSING}.get(response.status_code, str(response.status_code))


# -- who tries ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def subjects(estate: Estate) -> list[Subject]:
    """Each role by itself, and those who must come nowhere: made once, and kept when the trusts are restored."""
    ours, theirs = estate.ours, estate.theirs

    def client(person: Someone | None) -> PortalClient:
        made = estate.client_for(person)
        made.strict = False  # well-made pages are test_pages' business
        return made

    everything = theirs.world.person(
        "Erin Everything",
        *(role if role not in SCHOOL_ROLES else (role, theirs.ashgrove) for role in Role),
    )
    some = [(role, theirs.people[role]) for role in (Role.NETWORK_MANAGER, Role.HEADTEACHER, Role.STAFF)]
    found = [
        Subject(
            role.value,
            client(person),
            person,
            member=True,
            at_trust=frozenset() if role in SCHOOL_ROLES else frozenset({role}),
            at_ashgrove=frozenset({role}) if role in SCHOOL_ROLES else frozenset(),
        )
        for role, person in ours.people.items()
    ]
    teacher = partial(Subject, person=ours.reader, member=True, at_ashgrove=frozenset({Role.STAFF}))
    found += [
        teacher("who is asked to sign", client(ours.reader)),
        Subject(
            "every role at another school",
            client(ours.everything_at_birchwood),
            ours.everything_at_birchwood,
            member=True,
            at_birchwood=SCHOOL_ROLES,
        ),
        Subject(
            "every role until yesterday",
            client(ours.everything_until_yesterday),
            ours.everything_until_yesterday,
        ),
        # What no right opens, somebody with every right does not come into: not a subject for each of their roles.
        Subject("every role of another trust", client(everything), everything),
        *(Subject(f"{role.value} of another trust", client(who), who) for role, who in some),
        Subject("nobody", client(None)),
    ]
    estate.keep()
    return found


def all_addresses(estate: Estate) -> list[Address]:
    return list(addresses(estate.app))


# -- the addresses themselves ------------------------------------------------------------------------------------


def test_every_route_says_who_may_use_it(estate: Estate) -> None:
    every_route_declares_access(estate.app)


def test_a_route_that_does_not_say_is_found() -> None:
    forgetful = Flask("forgetful")
    forgetful.add_url_rule("/open-door", "open_door", lambda: "")
    with pytest.raises(RuntimeError, match="/open-door does not say who may use it"):
        every_route_declares_access(forgetful)


def test_every_address_can_be_filled(estate: Estate) -> None:
    for address in all_addresses(estate):
        assert address.url(estate.ours).startswith("/"), address


def test_addresses_are_kebab_case_and_their_ids_are_typed(estate: Estate) -> None:
    for address in all_addresses(estate):
        fixed = re.sub(r"<[^>]+>", "", address.rule.rule)
        assert re.fullmatch(r"[a-z0-9./-]*", fixed), address
        for name in address.rule.arguments:
            if name.endswith("_id") or name == "number":
                assert is_typed(address.rule, name), f"{address}: {name} is not typed"


def test_no_address_changes_something_by_get_only_by_name(estate: Estate) -> None:
    """Addresses that say that they do something are posted to."""
    doing = re.compile(
        r"/(close|remind|discard|withdraw|finish|invite|end-others|sign-out|move|step-back|hand-over)$"
    )
    gets = [
        str(address)
        for address in all_addresses(estate)
        if address.method == "GET" and doing.search(address.rule.rule)
    ]
    assert gets == []


# -- the matrix --------------------------------------------------------------------------------------------------


def tries(estate: Estate, subject: Subject, address: Address, **instead: Any) -> TestResponse:
    url = address.url(estate.ours, **instead)
    if address.method == "GET":
        return subject.client.get(url)
    return subject.client.open(url, method=address.method, data={})


def expected(address: Address, subject: Subject, estate: Estate) -> Answer:
    """The prediction, and what the view adds to it."""
    answer = predicted(address, subject)
    further = FURTHER.get((address.method, address.endpoint))
    return further(subject, estate.ours) if further and answer is Answer.IN else answer


def test_every_role_on_every_route(estate: Estate, subjects: list[Subject]) -> None:
    wrong: list[str] = []
    before = estate.state()
    for address in all_addresses(estate):
        if address.access.public:
            continue
        welcome: list[Subject] = []
        for subject in subjects:
            wanted = expected(address, subject, estate)
            if wanted is Answer.IN and address.method != "GET":
                welcome.append(subject)
                continue
            got = answer_of(tries(estate, subject, address))
            if got != wanted:
                wrong.append(f"{address}: {subject.name}: {wanted} expected, {got} found")
        if not estate.unchanged(before):
            after = estate.state(before)
            changed = [table for table in after if after[table] != before[table]]
            wrong.append(f"{address} changed {changed} although nobody was let in to change something")
            estate.restore()
        for subject in welcome:
            response = tries(estate, subject, address)
            if answer_of(response) is not Answer.IN:
                wrong.append(f"{address}: {subject.name}: {Answer.IN} expected, {response.status_code} found")
            if not estate.unchanged(before):
                estate.restore()
    assert not wrong, "\n" + "\n".join(wrong)
    assert estate.state() == before, "something changed that no application committed"


def test_what_belongs_to_another_trust_is_missing(estate: Estate, subjects: list[Subject]) -> None:
    wrong: list[str] = []
    before = estate.state()
    for address in all_addresses(estate):
        if not address.of_a_trust:
            continue
        inside = next((one for one in subjects if expected(address, one, estate) is Answer.IN), None)
        if inside is None:
            inside = next(one for one in subjects if predicted(address, one) is Answer.IN)
        for name in sorted(address.rule.arguments - {"trust", "kind"}):
            for value in {foreign(name, estate.theirs), unheard_of(name)}:
                response = tries(estate, inside, address, **{name: value})
                # A clause's key is no id: a rule may refuse it, as long as nothing changes.
                if response.status_code not in ({404, 422} if name == "key" else {404}):
                    wrong.append(f"{address} with another {name}: {response.status_code}")
        response = tries(estate, inside, address, trust=estate.theirs.world.slug)
        if response.status_code != 404:
            wrong.append(f"{address} in another trust: {response.status_code}")
    assert not wrong, "\n" + "\n".join(wrong)
    assert estate.state() == before


def unheard_of(name: str) -> Any:
    """What exists nowhere."""
    return {"number": 12_345, "label": "one.two"}.get(
        name, uuid4() if name.endswith("_id") else "never-heard-of"
    )


def test_another_trusts_ids_in_a_form_change_nothing(estate: Estate, subjects: list[Subject]) -> None:
    """Whatever a form may name, naming another trust's gives no success; neither does a header that names the trust."""
    theirs = {name: str(value) for name, value in estate.theirs.ids.items()}
    theirs |= {"school": estate.theirs.birchwood.slug, "school_id": str(estate.theirs.birchwood.id)}
    theirs |= {"policies": theirs["reading_id"], "places": str(estate.theirs.birchwood.id)}
    theirs |= {"edition_id": theirs["signature_id"], "trust_id": str(estate.theirs.world.trust_id)}
    before = estate.state()

    def of_theirs() -> Any:
        with psycopg.connect(estate.superuser_url) as connection:
            return connection.execute(
                "SELECT count(*), max(position) FROM audit_event WHERE trust_id = %s",
                [estate.theirs.world.trust_id],
            ).fetchall()

    chain = of_theirs()
    for address in all_addresses(estate):
        if not address.of_a_trust or address.method == "GET":
            continue
        inside = next((one for one in subjects if expected(address, one, estate) is Answer.IN), None)
        if inside is None:
            inside = next(one for one in subjects if predicted(address, one) is Answer.IN)
        response = inside.client.open(
            address.url(estate.ours),
            method=address.method,
            data=dict(theirs),
            headers={"X-Trust": estate.theirs.world.slug, "X-Trust-Id": theirs["trust_id"]},
        )
        assert response.status_code in {200, 303, 404, 409, 422}, f"{address}: {response.status_code}"
        assert of_theirs() == chain, f"{address} wrote into another trust"
        if not estate.unchanged(before):
            estate.restore()


def test_a_post_from_another_site_is_refused(estate: Estate, subjects: list[Subject]) -> None:
    manager = subjects[0]
    before = estate.state()
    for address in all_addresses(estate):
        if address.of_a_trust and address.method == "POST" and predicted(address, manager) is Answer.IN:
            url = address.url(estate.ours)
            response = manager.client.post(url, data={}, headers={"Sec-Fetch-Site": "cross-site"})
            assert response.status_code == 403, address
            token, manager.client.csrf = manager.client.csrf, ""
            response = manager.client.post(url, data={})
            manager.client.csrf = token
            assert response.status_code == 422, f"{address} without the form's token"
    assert estate.state() == before
