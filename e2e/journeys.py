"""What people do in the portal, each journey as they would: by the words on links, buttons and fields."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from passlib.totp import TOTP
from playwright.sync_api import Locator, expect

from e2e.visitor import Visitor, go_home, task
from tests.world import Place, World
from trustportal.times import today

A_POLICY = "Write or import a policy"


# -- signing in --------------------------------------------------------------------------------------------------


def sign_in(visitor: Visitor, email: str, password: str) -> Visitor:
    """Sign in with a password; whoever needs a second factor sets it up on the way."""
    return finish_signing_in(visitor.open("/sign-in"), email, password)


def finish_signing_in(visitor: Visitor, email: str, password: str) -> Visitor:
    """The same from the page of signing in, wherever it leads on."""
    visitor.fill("E-mail address", email).fill("Password", password)
    visitor.press("Sign in")
    if visitor.page.locator("h1").inner_text() != "Set up an authenticator":
        return visitor
    secret = visitor.page.locator("code.hash").inner_text()
    visitor.shot("second-factor")
    visitor.fill("Code", TOTP(key=secret).generate(time=int(time.time())).token)
    visitor.press("Go on").sees("Keep your recovery codes")
    return visitor.follow("I have kept them")


def fill_day(visitor: Visitor, question: str, day: date) -> None:
    """Type a day into its three boxes."""
    boxes = visitor.page.get_by_role("group", name=question)
    for label, value in (("Day", day.day), ("Month", day.month), ("Year", day.year)):
        boxes.get_by_label(label, exact=True).fill(str(value))


# -- the trust's text --------------------------------------------------------------------------------------------


def import_policy(manager: Visitor, world: World, file: Path) -> Visitor:
    """Bring a text file in, look at every place that the importer was unsure about, save it as a draft."""
    manager.open(world.url("policies")).follow(A_POLICY).follow("Choose a file")
    manager.page.get_by_label("Choose a file").set_input_files(file)
    manager.press("Read the file")
    manager.shot("import")
    first = places_to_look_at(manager)
    assert first >= 4

    footers = _doubts(manager, "foot of a printed page")
    assert footers.count() >= 1
    while footers.count():
        manager.press(re.compile("^Take these words out"), within=footers.first)

    bullet = manager.page.locator(".draft-row", has_text="A bullet (“o”)").first
    manager.follow(re.compile("^Correct"), within=bullet)
    opened = manager.page.locator(".draft-row--open")
    text = opened.get_by_label("Text", exact=True).input_value()
    manager.fill("Text", re.sub(r"(?<=[.,]) o (?=[A-Z])", " ", text), within=opened)
    manager.shot("import-correct")
    manager.press("Save the words", within=opened)
    assert not _doubts(manager, "A bullet (“o”)").count()

    left = places_to_look_at(manager)
    assert 0 < left < first
    while left:
        manager.press(re.compile("^It is right"))
        assert places_to_look_at(manager) < left
        left = places_to_look_at(manager)

    manager.follow("Save as a draft")
    assert manager.page.get_by_label("Person responsible").input_value() == "Trust Network Manager"
    manager.shot("import-header")
    return manager.press("Save as a draft").sees("All clauses are locked")


def places_to_look_at(manager: Visitor) -> int:
    """How many places the importer still asks about."""
    shown = manager.page.locator("ul.sums li", has_text="places to look at").inner_text()
    return int(re.findall(r"\d+", shown)[0])


def _doubts(manager: Visitor, words: str) -> Locator:
    return manager.page.locator(".note--warn", has_text=words)


def define_placeholder(manager: Visitor, world: World, name: str, label: str) -> Visitor:
    """A slot that every school fills with its own words."""
    manager.open(world.url("settings")).follow("Placeholders").follow("Add a placeholder")
    manager.fill("Name", name).fill("What it is", label)
    return manager.press("Add this placeholder")


def fill_placeholder(visitor: Visitor, world: World, school: Place, label: str, value: str) -> Visitor:
    """A school's words for a slot."""
    visitor.open(world.url(f"schools/{school.slug}/placeholders"))
    visitor.fill(label, value)
    return visitor.press("Save these words")


@dataclass
class Draft:
    """The draft of a policy, in the network manager's browser."""

    manager: Visitor
    world: World
    slug: str

    @property
    def url(self) -> str:
        """Its address."""
        return self.world.url(f"policies/{self.slug}/draft")

    def key_of(self, label: str) -> str:
        """The key of the clause that is printed with a label, like 4.b."""
        link = self.manager.page.get_by_role("link", name=f"Change {label}", exact=True)
        return str(link.get_attribute("href")).rsplit("/", 1)[-1]

    def set_mode(self, keys: Iterable[str], mode: str) -> None:
        """Say for several clauses what schools may do."""
        self.manager.open(self.url).unfold("Set what schools may do")
        self.manager.page.get_by_label("Schools may", exact=True).select_option(mode)
        for key in keys:
            self.manager.page.locator(f"label[for='k-{key}']").click()
        self.manager.press("Set for the ticked clauses")

    def rewrite(self, key: str, *, ends_with: str = "", instead: tuple[str, str] | None = None) -> str:
        """Change a clause's words in its place: add a sentence at the end, or one word for another. The new text."""
        if not self.manager.path.endswith("/draft"):
            self.manager.open(self.url)
        row = self.manager.page.locator(f"#c-{key}")
        row.get_by_role("link", name=re.compile("^Change")).click()
        box = row.get_by_label("Text", exact=True)
        text = box.input_value()
        if instead:
            assert instead[0] in text
            text = text.replace(*instead, 1)
        text += ends_with
        box.fill(text)
        self.manager.press_in_place("Preview", within=row)
        expect(row.locator(f"#preview-{key}")).to_contain_text(text.split()[0])
        self.manager.shot("draft-clause")
        self.manager.press_in_place("Save", within=row)
        expect(row.get_by_role("link", name=re.compile("^Change"))).to_be_visible()
        expect(row).to_contain_text("Changed")
        return text

    def add_after(self, key: str, text: str, mode: str) -> str:
        """A new clause after another; its key."""
        self.manager.open(f"{self.url}/clauses/{key}").follow("Add a clause after it")
        self.manager.fill("Text", text).choose(mode)
        self.manager.press("Add it").sees(text)
        row = self.manager.page.locator(".draft-row", has_text=text)
        return str(row.get_attribute("id")).removeprefix("c-")

    def submit(self, reason: str, marks: dict[str, tuple[str, str]] | None = None) -> None:
        """Send it to the approvers; `marks` says of each changed clause how it weighs, and why."""
        self.manager.open(self.url).follow("Send for approval")
        self.manager.fill("Why is this version needed?", reason)
        for key, (weight, why) in (marks or {}).items():
            self.manager.page.locator(f"label[for^='weight-{key}']", has_text=weight).click()
            self.manager.page.locator(f"#reason-{key}").fill(why)
        let_stand(self.manager)
        self.manager.shot("submit")
        self.manager.press("Send for approval").sees(reason)

    def publish(self, places: int) -> None:
        """Look at what it will do, publish it from today on, and watch it reach its places."""
        self.manager.open(self.world.url(f"policies/{self.slug}")).follow("Publish it")
        expect(self.manager.page.locator("#outlook")).to_contain_text("Work it out again", timeout=60_000)
        fill_day(self.manager, "Takes effect on", today())
        self.manager.shot("publish")
        self.manager.press("Publish")
        expect(self.manager.page.locator("#publication")).to_contain_text(
            f"{places} of {places} places", timeout=60_000
        )
        self.manager.look()
        self.manager.shot("publication")


# -- deciding ----------------------------------------------------------------------------------------------------


def open_decision(visitor: Visitor, world: World) -> Visitor:
    """From the home page to what waits for one's decision."""
    go_home(visitor, world)
    return visitor.follow(re.compile("^Read and decide"), within=task(visitor, "Decide about"))


def approve(visitor: Visitor, world: World) -> Visitor:
    """Approve what waits."""
    open_decision(visitor, world)
    visitor.shot("decision")
    return visitor.press("Approve").sees("Your approval is recorded")


# -- a school's own text -----------------------------------------------------------------------------------------


@dataclass
class Desk:
    """A policy at a school, in its head's browser."""

    head: Visitor
    world: World
    school: Place
    slug: str

    def url(self, path: str = "") -> str:
        """An address below the policy at the school."""
        return self.world.url(
            f"schools/{self.school.slug}/policies/{self.slug}" + (f"/{path}" if path else "")
        )

    def replace(self, label: str, text: str, reason: str) -> None:
        """Use our own text for a clause; `text` may hold {trusts} for the trust's words."""
        self.head.open(self.url()).follow("Change our clauses")
        self.head.shot("desk")
        self.head.follow(f"Change {label}")
        box = self.head.page.get_by_label("Text", exact=True)
        self.head.choose("Use our own text")
        box.fill(text.replace("{trusts}", box.input_value()))
        self.head.fill("Why is this different at your school?", reason)
        self.head.shot("desk-clause")
        self.head.press("Keep this answer").sees("Your answer is kept", reason)

    def add_after(self, label: str, text: str, reason: str) -> None:
        """Add a clause of our own."""
        self.head.open(self.url("clauses")).follow(f"Add after {label}")
        self.head.fill("Text", text).fill("Why does your school need this clause?", reason)
        self.head.press("Add this clause").sees("Your clause is added", text)

    def submit(self, reason: str) -> None:
        """Send the changes to the approver."""
        self.head.open(self.url("clauses")).follow("Read and send for approval")
        self.send(reason)

    def send(self, reason: str) -> None:
        """The last step of a submission."""
        self.head.fill("Why does your school make these changes?", reason)
        let_stand(self.head)
        self.head.shot("desk-submit")
        self.head.press("Send for approval").sees("Sent for approval")


def let_stand(visitor: Visitor) -> None:
    """Let every warning about the words stand, and say why the policy may be without what it lacks."""
    for box in visitor.page.locator("label[for^='stays-']").all():
        box.click()
    for why in visitor.page.locator("input[name^='waive-']").all():
        why.fill("The child protection policy of each school says it.")


# -- signing -----------------------------------------------------------------------------------------------------


def open_campaign(manager: Visitor, world: World) -> None:
    """Ask everybody to sign: first see whom it reaches, then open it."""
    manager.open(world.url("acceptance")).follow("New campaign")
    manager.shot("campaign-new")
    manager.press("Show who will be asked").sees("will be asked")
    manager.shot("campaign-preview")
    manager.press("Open the campaign").sees("was opened")


def wait_for_signing(visitor: Visitor, world: World, *, seconds: int = 90) -> Visitor:
    """Until the home page asks for a signature."""
    return visitor.until(
        world.url(), lambda page: page.locator("ul.tasks > li", has_text="Sign ").count() > 0, seconds=seconds
    )


def sign(visitor: Visitor, world: World) -> Visitor:
    """From the home page through the text to the signature."""
    go_home(visitor, world)
    visitor.follow(re.compile("^Read and sign"), within=task(visitor, "Sign "))
    visitor.shot("sign")
    visitor.choose("I agree to this statement")
    return visitor.press("Sign").sees("Thank you. You have signed")


def changes_shown(visitor: Visitor) -> list[str]:
    """What a page of signing says that has changed, a card each."""
    return visitor.page.locator("article.change").all_inner_texts()
