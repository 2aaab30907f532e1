"""Two trusts with something of everything in them: what the sweeps walk through.

`furnish` fills a trust through the services: policies in every state, a school that has to decide about a new version,
imports, campaigns, signatures, invitations, mail. Whatever a page's address may name is in `Furnished`.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID, uuid4

from PIL import Image
from sqlalchemy import select

from tests.integration.policies.given import Social, publish, social
from tests.world import Place, Someone, World
from trustportal import blobs, clock, jobs
from trustportal.acceptance import services as acceptance
from trustportal.acceptance.models import Assignment
from trustportal.access import SCHOOL_ROLES, TRUST_ROLES, Role
from trustportal.db import Scope, db, scope, unit_of_work
from trustportal.jobs import Event
from trustportal.mail import notify
from trustportal.policies import linting, reading
from trustportal.policies import queries as policies
from trustportal.policies.domain.approval import Outcome, VoteChoice
from trustportal.policies.domain.changes import Mark
from trustportal.policies.domain.clauses import Clause, Kind, Mode, NumberingStyle, Tree, Weight
from trustportal.policies.domain.header import PolicyHeader
from trustportal.policies.models import (
    ApprovalRun,
    Edition,
    Policy,
    PolicyPlace,
    Reconcile,
    TemplateVersion,
    VersionPdf,
)
from trustportal.policies.services import approvals, drafts, importing, lint, local
from trustportal.tenants import services as tenants
from trustportal.times import now, today

SOMEWHERE: Tree = (
    Clause("use", None, Kind.SECTION, "Using it"),
    Clause("kind", "use", Kind.CLAUSE, "", "Be kind to {{school.name}}.", Mode.ADAPTABLE),
    Clause(
        "desk", "use", Kind.CLAUSE, "", "Ask {{contact.office}} first. Letters follow the GDPR.", Mode.EXTEND
    ),
)
IMPORTED = b"""Lettings policy

1 Letting our halls
1.1 The hall is let to groups of the neighbourhood.
1.2 Nobody lets a classroom.

2 What it costs
2.1 The governors set the price every year.
"""


def _picture() -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (64, 64), "#1f4b7a").save(written, format="PNG")
    return written.getvalue()


LOGO = _picture()


class Grounds(World):
    """A world whose PDFs are not made: the sweeps need a file behind an address, not what is in it."""

    def run_jobs(self) -> int:
        """Do everything that is due, but for the documents."""
        with self.worker_app.app_context(), scope(Scope.job(self.trust_id)):
            return jobs.run_inline(queues=[name for name in jobs.QUEUES if name != "documents"])


@dataclass
class Furnished:
    """A trust with everything in it. `people` holds somebody for each role, at Ashgrove or at the trust."""

    world: World
    given: Social
    ashgrove: Place
    birchwood: Place
    people: Mapping[Role, Someone]
    everything_at_birchwood: Someone
    everything_until_yesterday: Someone
    at_both_schools: Someone
    reader: Someone
    #: The slugs of policies by what is going on with them.
    reconciling: str = ""
    drafting: str = ""
    submitted: str = ""
    approved: str = ""
    #: The key of the clause that Ashgrove added to the policy that is being drafted anew.
    added_key: str = ""
    #: The hash that is printed on an edition.
    digest: str = ""
    #: Ids by the name that addresses give them.
    ids: dict[str, UUID] = field(default_factory=dict)


def furnish(world: World) -> Furnished:
    """Fill a trust. Takes a few seconds: do it once for many tests."""
    given = social(world)
    ashgrove, birchwood = given.school, world.school("Birchwood")
    people: dict[Role, Someone] = {Role.NETWORK_MANAGER: world.manager}
    for role in Role:
        if role is not Role.NETWORK_MANAGER:
            held = role if role in TRUST_ROLES else (role, ashgrove)
            people[role] = world.person(f"The {role.value.replace('_', ' ').title()}", held)
    furnished = Furnished(
        world=world,
        given=given,
        ashgrove=ashgrove,
        birchwood=birchwood,
        people=people,
        everything_at_birchwood=world.person(
            "Bea Birchwood", *((role, birchwood) for role in Role if role in SCHOOL_ROLES)
        ),
        everything_until_yesterday=world.person(
            "Xander Gone",
            *(role for role in Role if role in TRUST_ROLES),
            *((role, ashgrove) for role in Role if role in SCHOOL_ROLES),
            to_on=today() - timedelta(days=1),
        ),
        at_both_schools=world.person("Sam Supply", (Role.SUPPLY, ashgrove), (Role.SUPPLY, birchwood)),
        reader=given.teacher,
        reconciling=given.slug,
    )
    _settings(furnished)
    _policies(furnished)
    world.run_jobs()
    stored_pdfs(furnished)
    _imports(furnished)
    _signing(furnished)
    _people(furnished)
    _the_rest(furnished)
    return furnished


def _settings(furnished: Furnished) -> None:
    with furnished.world.acting(furnished.world.manager) as actor:
        tenants.set_logo(actor, content=LOGO)
        tenants.add_placeholder(actor, name="contact.office", label="The office's address")
        tenants.fill_placeholders(
            actor, school_id=None, values={"contact.office": "office@trust.example"}, now=now()
        )
        tenants.fill_placeholders(
            actor,
            school_id=furnished.ashgrove.id,
            values={"contact.office": "office@ashgrove.example"},
            now=now(),
        )
    furnished.world.run_jobs()


def _policies(furnished: Furnished) -> None:
    world, given = furnished.world, furnished.given
    # In force with the school's own words; a new version touches them, so the school has to decide.
    given.answer("administrators", "Every account has at least three administrators.")
    given.add("trips", "Photographs of trips are deleted after a year. Ask your line manger.")
    _submit_with_a_warning(given)
    given.approve()
    given.next_version({"administrators": "Every account has two administrators who are employed here."})
    # A draft of the next version of another, which schools have in force and one school is changing.
    furnished.drafting, drafting_id, _ = _policy(
        world, "Homework policy", publish_with=given.trustees, trust_is_a_place=True
    )
    with world.acting(given.head) as actor:
        furnished.added_key = local.add_clause(
            actor,
            policy_id=drafting_id,
            school_id=furnished.ashgrove.id,
            after="desk",
            heading="",
            text="The office answers within a day.",
            reason="Parents asked.",
            weight=Weight.MATERIAL,
            now=now(),
        )
        local.submit_edition(
            actor, policy_id=drafting_id, school_id=furnished.ashgrove.id, reason="Parents asked.", now=now()
        )
    with world.acting(world.manager) as actor:
        drafts.start_draft(actor, policy_id=drafting_id, now=now())
    _a_draft_with_a_warning(world)
    # One that the trustees are asked about, and one that they approved.
    furnished.submitted, _, submitted_version = _policy(world, "Visitors policy")
    furnished.approved, _, approved_version = _policy(world, "Minibus policy")
    with world.acting(world.manager) as actor:
        for version_id in (submitted_version, approved_version):
            run = approvals.submit_version(
                actor, version_id=version_id, reason="It is time.", marks={}, now=now()
            )
    _approve(furnished, run)
    with world.looking():
        furnished.ids["run_id"] = db.session.scalars(
            select(ApprovalRun.id).where(ApprovalRun.version_id == submitted_version)
        ).one()
        furnished.ids["reconcile_id"] = db.session.scalars(
            select(Reconcile.id).where(Reconcile.state == "open")
        ).one()
        furnished.digest = db.session.scalars(
            select(Edition.content_hash).where(Edition.state == "approved").limit(1)
        ).one()


def _submit_with_a_warning(given: Social) -> None:
    """The head lets what lint says of the school's own words stand."""
    with given.world.acting(given.head) as actor:
        at = {"policy_id": given.policy_id, "school_id": given.school.id}
        version = policies.get_version(policies.get_standing(**at).version_id)
        answers = reading.working_answers(**at)
        policy = policies.get_policy_by_id(given.policy_id)
        shown = reading.preview(policy, version, given.school.id, answers).resolved
        report = linting.report_of_place(version, shown.clauses, given.school.id, today())
        assert report.warnings
        local.submit_edition(
            actor, **at, reason="Ours.", now=now(), answers={one.mark: "" for one in report.warnings}
        )


def _a_draft_with_a_warning(world: World) -> None:
    tree = (Clause("line", None, Kind.SECTION, "The line", "Ask your line manger."),)
    header = PolicyHeader("Kite policy", person_responsible="Chief executive", approving_body="Trust board")
    with world.acting(world.manager) as actor:
        version = drafts.create_policy(
            actor, header=header, numbering=NumberingStyle.DECIMAL, tree=tree, now=now()
        )
        policy = policies.get_policy_by_id(version.policy_id)
        report = linting.report_of_version(policy, version, today())
        kept = lint.answer_findings(
            actor,
            version_id=version.id,
            answers={one.mark: "" for one in report.warnings},
            now=now(),
            today=today(),
        )
        assert kept == 1


def _policy(
    world: World,
    title: str,
    *,
    publish_with: tuple[Someone, Someone] | None = None,
    trust_is_a_place: bool = False,
) -> tuple[str, UUID, UUID]:
    header = PolicyHeader(title, person_responsible="Chief executive", approving_body="Board of trustees")
    with world.acting(world.manager) as actor:
        version = drafts.create_policy(
            actor,
            header=header,
            numbering=NumberingStyle.DECIMAL,
            tree=SOMEWHERE,
            trust_is_a_place=trust_is_a_place,
            now=now(),
        )
        policy_id, version_id = version.policy_id, version.id
        slug = policies.get_policy_by_id(policy_id).slug
    if publish_with is not None:
        publish(world, publish_with, version_id, dict[str, Mark]())
    return slug, policy_id, version_id


def _approve(furnished: Furnished, run: ApprovalRun) -> None:
    """Vote until the run is approved."""
    for trustee in furnished.given.trustees:
        with furnished.world.acting(trustee) as actor:
            state = approvals.decide(
                actor,
                run_id=run.id,
                choice=VoteChoice.APPROVE,
                comment="",
                content_hash=run.content_hash,
                now=now(),
                today=today(),
            )
    assert state.outcome is Outcome.APPROVED


def stored_pdfs(furnished: Furnished) -> None:
    """A file in the place of each PDF."""
    with furnished.world.looking(), unit_of_work() as uow:
        for edition in db.session.scalars(select(Edition).where(Edition.state == "approved")):
            if edition.pdf_hash is None:
                edition.pdf_hash = blobs.put(b"%PDF-1.7 " + edition.id.bytes, "application/pdf")
                uow.announce(Event.PDF_STORED, edition_id=edition.id)
        stored = set(db.session.scalars(select(VersionPdf.version_id)))
        for version in db.session.scalars(
            select(TemplateVersion).where(TemplateVersion.state == "published")
        ):
            if version.id not in stored:
                made = blobs.put(b"%PDF-1.7 " + version.id.bytes, "application/pdf")
                db.session.add(VersionPdf(id=uuid4(), version_id=version.id, blob_hash=made, made_at=now()))
    furnished.world.run_jobs()


def _imports(furnished: Furnished) -> None:
    with furnished.world.acting(furnished.world.manager) as actor:
        reading = importing.read_file(actor, content=IMPORTED, filename="lettings.txt", now=now())
        furnished.ids["reading_id"] = reading.id


def _signing(furnished: Furnished) -> None:
    world = furnished.world
    with world.acting(world.manager) as actor:
        due_on = today() + timedelta(days=20)
        campaign = acceptance.open_campaign(
            actor,
            title="Annual signing",
            academic_year=due_on.year if due_on.month >= 9 else due_on.year - 1,
            policy_ids=[furnished.given.policy_id, _policy_id(furnished.drafting)],
            roles=[role for role in Role if role is not Role.NETWORK_MANAGER],
            opens_on=today(),
            due_on=due_on,
            now=now(),
            today=today(),
        )
        furnished.ids["campaign_id"] = campaign.id
    world.run_jobs()
    with world.looking():
        mine = db.session.scalars(
            select(Assignment.id).where(
                Assignment.person_id == furnished.reader.id, Assignment.state == "open"
            )
        ).all()
    assert len(mine) == 2, "the teacher is asked to sign both policies"
    with world.acting(furnished.reader) as actor:
        shown = acceptance.to_read(actor, assignment_id=mine[0], today=today())
        signature = acceptance.sign(
            actor,
            assignment_id=mine[0],
            edition_id=shown.edition.id,
            statement_seen=shown.statement_version,
            confirmed=True,
            now=now(),
            today=today(),
            user_agent="A browser",
        )
    furnished.ids |= {"assignment_id": mine[1], "signature_id": signature.id}


def _policy_id(slug: str) -> UUID:
    return db.session.scalars(select(Policy.id).where(Policy.slug == slug)).one()


def _people(furnished: Furnished) -> None:
    world = furnished.world
    with world.acting(world.manager) as actor:
        newcomer = tenants.add_person(
            actor, name="Nico Newcomer", email=f"nico.newcomer@{world.slug}.example", now=now()
        )
        membership = tenants.begin_membership(
            actor,
            person_id=newcomer.id,
            role=Role.STAFF,
            school_id=furnished.ashgrove.id,
            from_on=today() - timedelta(days=1),
        )
        tenants.invite(actor, person_id=newcomer.id, now=now())
    furnished.ids |= {"person_id": newcomer.id, "membership_id": membership.id}
    world.run_jobs()


def _the_rest(furnished: Furnished) -> None:
    """What no service makes yet, what only the clock makes, and one notice that has not been mailed."""
    world = furnished.world
    with world.looking(), unit_of_work():
        db.session.add(
            PolicyPlace(id=uuid4(), policy_id=furnished.given.policy_id, school_id=furnished.birchwood.id)
        )
    with world.worker_app.app_context():
        # Every day of the week is a working day here, so that the tests do not depend on theirs.
        every_day = tuple(replace(recurring, slot=clock.daily(0)) for recurring in clock.SCHEDULE)
        clock.run_schedule(now(), every_day)
    world.run_jobs()
    with world.looking(), unit_of_work():
        notify(furnished.reader.id, subject="Something", body="Something happened.", path=f"/t/{world.slug}/")
