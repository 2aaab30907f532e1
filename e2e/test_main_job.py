"""The whole story of a policy, in browsers: imported, approved, adapted, signed, changed, reconciled, signed again."""

from __future__ import annotations

import io
import os
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pdfplumber
import pytest

from e2e import journeys
from e2e.journeys import Desk, Draft
from e2e.portal import KEPT
from e2e.visitor import PHONE, Visitor, Visitors, go_home
from tests.world import Place, Someone, World
from trustportal.access import Role
from trustportal.db import db, unit_of_work
from trustportal.tenants import sealing
from trustportal.tenants import services as tenants
from trustportal.tenants.models import Account
from trustportal.times import now

HERE = Path(__file__).parent
PASSWORD = "seven quiet kettles"
SLOT, SLOT_LABEL = "contact.online_safety", "Who helps with online safety"
HELPERS = {"Elmbridge": "Mrs Fenwick’s office", "Marsh Lane": "the Marsh Lane help desk"}
OUR_WORDS = " At our school the office decides within one day."
THE_TRUSTS_WORDS = " The trust asks for a note in the register."
OUR_CLAUSE = "Our sixth form has a quiet room where devices may be used at lunch."
THE_NEW_CLAUSE = "Each school keeps a list of what was lost and what was found."


@dataclass(frozen=True)
class Tale:
    """A policy to tell the story with: its file, and the printed labels of the clauses that play a part."""

    file: Path
    title: str
    slug: str
    replaced: str
    extended: str
    locked: str
    named: str
    reworded: str
    grows_after: str
    #: A clause that names an Act which was repealed: its year as it stands there, and the right one.
    repealed: tuple[str, str, str] | None = None


LOOKALIKE = Tale(
    HERE / "lookalike.txt",
    "Phones and Watches in School Policy",
    "phones-and-watches-in-school-policy",
    replaced="4.b",
    extended="4.c",
    locked="5.b",
    named="2.a",
    reworded="6.d",
    grows_after="1.d",
)
_SAMPLES = Path(os.environ.get("POLICY_SAMPLES", ""))
REAL = Tale(
    _SAMPLES / "004_faa12c3e16d67ddd.txt",
    "Use of Social Media Policy",
    "use-of-social-media-policy",
    replaced="5.e",
    extended="8.e",
    locked="1.b",
    named="2.a",
    reworded="9.b",
    grows_after="5.b",
    repealed=("10.a.ii", "1998", "2018"),
)
needs_samples = pytest.mark.skipif(
    not (os.environ.get("POLICY_SAMPLES") and REAL.file.exists()), reason="POLICY_SAMPLES not set"
)


@dataclass
class Cast:
    """The trust of the story and everybody in it."""

    world: World
    first: Place
    second: Place
    trustees: list[Someone]
    heads: list[Someone]
    chairs: list[Someone]
    staff: list[Someone]


def cast_of(world: World) -> Cast:
    """A trust with two schools; the network manager has a password, the others come with a session."""
    first, second = world.school("Elmbridge"), world.school("Marsh Lane", name="Marsh Lane Academy")
    with world.app.app_context(), unit_of_work():
        account = db.session.get_one(Account, world.manager.account_id)
        account.password = sealing.hash_password(PASSWORD)
    return Cast(
        world,
        first,
        second,
        [world.person(name, Role.TRUSTEE) for name in ("Tara Trent", "Theo Tarn", "Tess Tyne")],
        [
            world.person("Hana Hale", (Role.HEADTEACHER, first)),
            world.person("Hugo Hart", (Role.HEADTEACHER, second)),
        ],
        [
            world.person("Cleo Chant", (Role.CHAIR_OF_GOVERNORS, first)),
            world.person("Cyril Chase", (Role.CHAIR_OF_GOVERNORS, second)),
        ],
        [world.person("Sam Sedge", (Role.STAFF, first)), world.person("Sunil Shaw", (Role.STAFF, second))],
    )


def test_a_policy_lives_through_two_versions(visitors: Visitors) -> None:
    """The lookalike has everything that a policy's life hangs on: it goes through the whole of it."""
    tale = LOOKALIKE
    cast = cast_of(visitors.portal.trust("Thornfield Schools Trust"))
    world = cast.world
    manager = visitors.somebody()
    staff = [visitors.of(one, width=PHONE) for one in cast.staff]
    desks = [
        Desk(visitors.of(cast.heads[0]), world, cast.first, tale.slug),
        Desk(visitors.of(cast.heads[1]), world, cast.second, tale.slug),
    ]
    chair = visitors.of(cast.chairs[0])

    the_network_manager_signs_in_and_defines_a_slot(manager, cast)
    draft = the_network_manager_imports_and_submits(manager, cast, tale)
    two_trustees_approve_and_the_author_cannot(visitors, manager, cast, draft)
    draft.publish(places=2)
    a_head_adapts_and_the_chair_approves(desks[0], chair, tale)
    editions_are_printed(desks, tale, ["1.2", "1.1"])
    everybody_is_asked_and_signs(manager, staff, world)

    keys = the_trust_writes_a_second_version(visitors, manager, cast, draft, tale)
    the_second_school_follows_by_itself(desks[1], staff, world, keys)
    the_first_school_reconciles(visitors, cast, desks[0], chair)
    the_first_school_signs_what_changed(staff[0], world)
    editions_are_printed(desks, tale, ["2.1", "2.1"], second=True)
    nobody_signs_after_an_editorial_change(manager, desks[1], staff[1], world)


@needs_samples
def test_a_real_policy_is_brought_approved_and_printed(visitors: Visitors) -> None:
    """What depends on the text: reading the file, correcting what was doubted, finding its clauses by their labels, a
    repealed Act, the decision on a phone, and the paper, on which no word is missing. Its later life depends on no
    more of it than the lookalike has, and what comes before it (signing in, the slot) on nothing of it.
    """
    cast = cast_of(visitors.portal.trust("Millbrook Schools Trust"))
    a_slot_is_there(cast)
    manager = visitors.of(cast.world.manager)
    desks = [
        Desk(visitors.of(head), cast.world, school, REAL.slug)
        for head, school in zip(cast.heads, (cast.first, cast.second), strict=True)
    ]
    draft = the_network_manager_imports_and_submits(manager, cast, REAL)
    phone, desk = visitors.of(cast.trustees[0], width=PHONE), visitors.of(cast.trustees[1])
    journeys.approve(phone, cast.world).sees("1 of 2")
    journeys.approve(desk, cast.world).sees("Approved on")
    draft.publish(places=2)
    head = desks[0].head
    head.until(desks[0].url(), lambda page: "Edition 1.1" in page.locator("main").inner_text())
    head.open(desks[0].url("clauses"))
    assert head.offers(f"Change {REAL.replaced}", "link")
    assert not head.offers(f"Change {REAL.locked}", "link")
    printed = editions_are_printed(desks, REAL, ["1.1", "1.1"], adapted=False)
    # What the file's head says went into the policy's header; a bullet and the foot of a page were taken out.
    text = re.sub(r"<[^>]+>", " ", REAL.file.read_text("utf-8"))
    elsewhere = words_of("\n".join(text.splitlines()[:15])) + Counter(("o", "th"))
    for words in printed:
        assert words_of(text) - words_of(words) <= elsewhere


def a_slot_is_there(cast: Cast) -> None:
    """What the network manager does with the slot in the browser, done through the services."""
    with cast.world.acting(cast.world.manager) as actor:
        tenants.add_placeholder(actor, name=SLOT, label=SLOT_LABEL)
        for school in (cast.first, cast.second):
            value = HELPERS[school.short_name]
            tenants.fill_placeholders(actor, school_id=school.id, values={SLOT: value}, now=now())


def the_network_manager_signs_in_and_defines_a_slot(manager: Visitor, cast: Cast) -> None:
    world = cast.world
    journeys.sign_in(manager, world.manager.email or "", PASSWORD)
    assert manager.path == world.url()
    manager.shot("home-manager")

    journeys.define_placeholder(manager, world, SLOT, SLOT_LABEL)
    for school in (cast.first, cast.second):
        journeys.fill_placeholder(manager, world, school, SLOT_LABEL, HELPERS[school.short_name])


def the_network_manager_imports_and_submits(manager: Visitor, cast: Cast, tale: Tale) -> Draft:
    world = cast.world
    journeys.import_policy(manager, world, tale.file)
    draft = Draft(manager, world, tale.slug)
    assert manager.path == draft.url
    draft.set_mode([draft.key_of(tale.replaced)], "adaptable")
    draft.set_mode([draft.key_of(tale.extended)], "extend")
    manager.shot("draft")
    draft.rewrite(
        draft.key_of(tale.named), ends_with=" At {{school.name}}, {{" + SLOT + "}} answers questions."
    )
    if tale.repealed:
        manager.open(draft.url)
        draft.rewrite(draft.key_of(tale.repealed[0]), instead=tale.repealed[1:])
    draft.submit("One policy for all our schools, in words that fit them.")
    return draft


def two_trustees_approve_and_the_author_cannot(
    visitors: Visitors, manager: Visitor, cast: Cast, draft: Draft
) -> None:
    world = cast.world
    phone, desk = visitors.of(cast.trustees[0], width=PHONE), visitors.of(cast.trustees[1])
    journeys.open_decision(phone, world)
    content_hash = phone.page.locator("input[name=content_hash]").first.get_attribute("value") or ""

    manager.open(world.url(f"policies/{draft.slug}")).follow("See the decisions").sees(
        "you do not vote on it"
    )
    assert not manager.offers("Approve")
    status, said = manager.forge(manager.path, choice="approve", content_hash=content_hash)
    assert status == 422
    assert "recorded" not in said
    manager.open(manager.path).sees("0 of 2")

    journeys.approve(phone, world).sees("1 of 2")
    journeys.approve(desk, world).sees("Approved on")


def a_head_adapts_and_the_chair_approves(desk: Desk, chair: Visitor, tale: Tale) -> None:
    head, world = desk.head, desk.world
    head.until(desk.url(), lambda page: "Edition 1.1" in page.locator("main").inner_text())
    head.shot("edition")
    desk.replace(tale.replaced, "{trusts}" + OUR_WORDS, "Our office is staffed all day.")
    desk.add_after(tale.extended, OUR_CLAUSE, "Agreed with the school council.")

    # The trust has locked this one: nothing is offered, and what is forged is refused.
    head.open(desk.url("clauses"))
    assert not head.offers(f"Change {tale.locked}", "link")
    assert not head.offers(f"Add after {tale.locked}", "link")
    key = key_at(head, tale.locked)
    head.open(desk.url(f"clauses/{key}")).sees("The trust has locked this clause")
    assert not head.offers("Keep this answer")
    forged = "Nobody needs to keep to this."
    for path in (f"clauses/{key}", f"clauses/{key}/add"):
        status, _ = head.forge(
            desk.url(path),
            answer="replace",
            text=forged,
            reason="Because.",
            weight="material",
            row_version="0",
        )
        assert status in {403, 422}, path
    head.open(desk.url("clauses")).sees_no(forged)

    desk.submit("What is different at Elmbridge.")
    journeys.approve(chair, world)
    head.until(desk.url(), lambda page: "Edition 1.2" in page.locator("main").inner_text())
    head.sees(OUR_WORDS.strip(), OUR_CLAUSE)


def key_at(head: Visitor, label: str) -> str:
    """The key of a clause on the desk: it is in the address of its place on the page."""
    section, _, letter = label.partition(".")
    found = head.page.evaluate(
        """([section, letter]) => {
          let within = '';
          for (const one of document.querySelectorAll('[id^=clause-]')) {
            const number = one.querySelector('.no')?.innerText.trim() ?? '';
            if (one.classList.contains('section')) within = number;
            else if (within.startsWith(section) && number === letter + '.') return one.id.slice(7);
          }
        }""",
        [section, letter],
    )
    assert found, label
    return str(found)


def editions_are_printed(
    desks: list[Desk], tale: Tale, labels: list[str], *, second: bool = False, adapted: bool = True
) -> list[str]:
    """The stored PDF of each school: its words, and pictures of its pages for a person to look at.

    `second`: it is the trust's second version; `adapted`: the first school has words of its own. What stands in each.
    """
    found = []
    for desk, label in zip(desks, labels, strict=True):
        desk.head.open(desk.url())
        assert desk.head.offers("PDF", "link")
        content = desk.head.pdf(desk.url(f"editions/{label}.pdf"))
        with pdfplumber.open(io.BytesIO(content)) as pdf:
            words = " ".join(" ".join(page.extract_text() or "" for page in pdf.pages).split())
            folder = KEPT / "pdf"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{tale.slug}-{desk.school.slug}-{label}.pdf").write_bytes(content)
            for number, page in enumerate(pdf.pages, 1):
                page.to_image(resolution=60).save(
                    folder / f"{tale.slug}-{desk.school.slug}-{label}-{number}.png"
                )
        assert tale.title in words
        assert f"At {desk.school.name}, {HELPERS[desk.school.short_name]} answers questions." in words
        ours = adapted and desk.school.short_name == "Elmbridge"
        assert (OUR_WORDS.strip() in words) == ours
        assert (OUR_CLAUSE in words) == ours
        assert (THE_NEW_CLAUSE in words) == second
        assert label in words
        assert re.search(rf"\b1 of {len(pdf.pages)}\b", words)
        found.append(words)
    return found


def words_of(text: str) -> Counter[str]:
    """The words of a text, and how often each stands there."""
    return Counter(re.findall(r"[^\W\d_]+", text.lower()))


def everybody_is_asked_and_signs(manager: Visitor, staff: list[Visitor], world: World) -> None:
    journeys.open_campaign(manager, world)
    for one in staff:
        journeys.wait_for_signing(one, world)
        one.shot("home-staff")
        journeys.sign(one, world)
        go_home(one, world).sees_no("Sign ")


def the_trust_writes_a_second_version(
    visitors: Visitors, manager: Visitor, cast: Cast, draft: Draft, tale: Tale
) -> dict[str, str]:
    """It changes the clause that the first school replaced, another one, and adds one. Their keys by what they are."""
    manager.open(cast.world.url(f"policies/{draft.slug}")).press("Write the next version")
    keys = {"replaced": draft.key_of(tale.replaced), "reworded": draft.key_of(tale.reworded)}
    after = draft.key_of(tale.grows_after)
    draft.rewrite(keys["replaced"], ends_with=THE_TRUSTS_WORDS)
    draft.rewrite(keys["reworded"], ends_with=" This has not changed.")
    keys["added"] = draft.add_after(after, THE_NEW_CLAUSE, "Locked")
    draft.submit(
        "What we learned in the first year.",
        {
            keys["replaced"]: ("Material", "Registers were asked for by the auditors."),
            keys["added"]: ("Material", "Devices went missing."),
            keys["reworded"]: ("Editorial", "Clearer."),
        },
    )
    for one, width in ((cast.trustees[1], PHONE), (cast.trustees[2], None)):
        voter = visitors.of(one, width=width) if width else visitors.of(one)
        journeys.open_decision(voter, cast.world)
        assert len(journeys.changes_shown(voter)) == 3
        voter.shot("decision-second")
        voter.press("Approve").sees("Your approval is recorded")
    draft.publish(places=2)
    manager.sees("Follows", "Decides", "Who is still deciding")
    return keys


def the_second_school_follows_by_itself(
    desk: Desk, staff: list[Visitor], world: World, keys: dict[str, str]
) -> None:
    desk.head.until(desk.url(), lambda page: "Edition 2.1" in page.locator("main").inner_text())
    desk.head.open(desk.url("history")).sees("Devices went missing.")
    desk.head.shot("history")
    desk.head.open(desk.url("compare")).sees("clauses differ", THE_NEW_CLAUSE)
    desk.head.shot("compare")
    first, second = staff
    journeys.wait_for_signing(second, world)
    go_home(first, world).sees_no(
        "Sign "
    )  # the first school has not decided: what was signed there is in force
    second.open(world.url("sign")).follow(re.compile("^Read and sign"))
    cards = journeys.changes_shown(second)
    assert len(cards) == 3
    assert sum(THE_TRUSTS_WORDS.strip() in one for one in cards) == 1
    assert sum(THE_NEW_CLAUSE in one for one in cards) == 1
    second.shot("sign-again")
    journeys.sign(second, world)


def the_first_school_reconciles(visitors: Visitors, cast: Cast, desk: Desk, chair: Visitor) -> None:
    world = cast.world
    desk.head.open(desk.url()).sees("1 clause to decide")
    head = visitors.of(cast.heads[0], width=PHONE)
    go_home(head, world)
    head.shot("home-head")
    head.open(desk.url("reconcile")).sees("Decide one clause", OUR_WORDS.strip(), THE_TRUSTS_WORDS.strip())
    head.shot("reconcile")
    head.unfold("Write it")
    box = head.page.get_by_label("The text that your school will use", exact=True)
    box.fill(box.input_value() + THE_TRUSTS_WORDS)
    head.press("Use this text").sees("All clauses are decided", "You wrote the text.")
    head.shot("reconcile-decided")
    head.press("Finish").sees("Send our changes for approval")
    Desk(head, world, desk.school, desk.slug).send("Both sentences hold at Elmbridge.")
    journeys.approve(chair, world)
    desk.head.until(desk.url(), lambda page: "Edition 2.1" in page.locator("main").inner_text())
    desk.head.sees(OUR_WORDS.strip(), OUR_CLAUSE, THE_TRUSTS_WORDS.strip())


def the_first_school_signs_what_changed(staff: Visitor, world: World) -> None:
    journeys.wait_for_signing(staff, world)
    staff.open(world.url("sign")).follow(re.compile("^Read and sign"))
    cards = journeys.changes_shown(staff)
    assert len(cards) == 3
    assert not any(OUR_CLAUSE in one for one in cards)
    journeys.sign(staff, world)


def nobody_signs_after_an_editorial_change(
    manager: Visitor, desk: Desk, staff: Visitor, world: World
) -> None:
    """A changed value is released as editorial: a new edition, and the signature stands."""
    journeys.fill_placeholder(desk.head, world, desk.school, SLOT_LABEL, "Miss Okoro")
    desk.head.until(
        desk.url(), lambda page: page.get_by_role("link", name="See the change and release it").count() > 0
    )
    desk.head.follow("See the change and release it").sees("Miss Okoro")
    desk.head.shot("release")
    desk.head.press("Release").sees("Edition 2.2")
    desk.head.pdf(desk.url("editions/2.2.pdf"))
    # Whoever is to sign is asked when the PDF is stored: the newest signature is of the edition before, and stands.
    go_home(staff, world).sees_no("Sign ")
    staff.open(world.url("signatures")).sees("2.1")
    manager.open(world.url("acceptance")).sees("have signed")
    manager.follow(re.compile("^Progress"))
    manager.shot("campaign")
