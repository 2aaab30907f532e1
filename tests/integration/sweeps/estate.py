"""Two trusts with something of everything in them: what the sweeps walk through.

`furnish` fills a trust through the services: policies in every state, a school that has to decide about a new version,
imports, campaigns, signatures, invitations, mail. Whatever a page's address may name is in `Furnished`.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID, uuid4

from PIL import Image
from sqlalchemy import select

from tests.integration.policies.given import Social, publish, social
from tests.integration.policies.several import approved_version, publish_now
from tests.integration.sweeps import casework, concerns, takings
from tests.world import Place, Someone, World
from trustportal import blobs, clock, jobs
from trustportal.acceptance import services as acceptance
from trustportal.acceptance.domain.documents import USUAL_DOCUMENT_STATEMENT, DocumentDraft
from trustportal.acceptance.domain.questions import Asking, To
from trustportal.acceptance.domain.years import academic_year
from trustportal.acceptance.models import (
    Assignment,
    AuditAnchor,
    AuditStamp,
    Certificate,
    EvidencePack,
    Signature,
)
from trustportal.acceptance.services import certificates, documents, packs
from trustportal.acceptance.services import codes as signing_codes
from trustportal.access import SCHOOL_ROLES, TRUST_ROLES, Actor, Role
from trustportal.db import Scope, db, scope, unit_of_work
from trustportal.jobs import Event
from trustportal.mail import notify
from trustportal.policies import linting, reading
from trustportal.policies import queries as policies
from trustportal.policies.comparing import side_of_version
from trustportal.policies.domain.approval import ApprovalRule, Outcome, VoteChoice
from trustportal.policies.domain.changes import Mark
from trustportal.policies.domain.clauses import Clause, Kind, Mode, NumberingStyle, Tree, Weight
from trustportal.policies.domain.header import PolicyHeader
from trustportal.policies.domain.places import Where
from trustportal.policies.domain.routes import Step
from trustportal.policies.models import (
    ApprovalRun,
    Edition,
    Policy,
    PolicyPlace,
    Reconcile,
    TemplateVersion,
    VersionPdf,
)
from trustportal.policies.services import (
    approvals,
    chairs_action,
    consulting,
    drafts,
    import_queue,
    importing,
    joining,
    lint,
    local,
    publishing,
    reconciling,
    redlines,
    reviewing,
    withdrawing,
)
from trustportal.policies.services import routes as routing
from trustportal.policies.services.routes import Delegation
from trustportal.tenants import services as tenants
from trustportal.times import now, today
from trustportal.workflows.anchors import CaseStamp

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


def _archive() -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as made:
        made.writestr("lettings.txt", IMPORTED)
        made.writestr("later.txt", IMPORTED)
    return written.getvalue()


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
    #: The run that the chair of the board ended alone.
    acted: UUID | None = None
    #: A policy that Ashgrove wrote for itself.
    own: str = ""
    joining: str = ""
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
    _inheritance(furnished)
    world.run_jobs()
    stored_pdfs(furnished)
    _imports(furnished)
    _signing(furnished)
    _around_signing(furnished)
    _people(furnished)
    _governing(furnished)
    _workflows(furnished)
    takings.furnish(world, ids=furnished.ids, dpo=people[Role.DPO], reader=given.teacher)
    _the_rest(furnished)
    _stamp(furnished)
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
        furnished.ids["version_id"] = drafts.start_draft(actor, policy_id=drafting_id, now=now()).id
    # One in force beside which the school lays its own old policy.
    furnished.joining, _, _ = _policy(world, "Photography policy", publish_with=given.trustees)
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


def _inheritance(furnished: Furnished) -> None:
    """A school whose deadline passed, a deadline that was moved, and a comparison on paper."""
    world = furnished.world
    slug, policy_id, _ = _policy(world, "Bicycles policy", publish_with=furnished.given.trustees)
    one = replace(furnished.given, policy_id=policy_id, slug=slug)
    one.answer("kind", "Be kind to everybody at {{school.name}}.", reason="So we say it here.")
    one.add("desk", "Or ask the caretaker.")
    one.submit_and_approve()
    version_id = approved_version(
        one, {"kind": "Be polite and kind to {{school.name}}."}, modes={"desk": Mode.LOCKED}
    )
    publish_now(one, version_id, decide_by=today())
    with world.acting(world.manager) as actor:
        reconciling.force(
            actor,
            policy_id=policy_id,
            school_id=furnished.ashgrove.id,
            reason="The term begins.",
            now=now(),
            today=today() + timedelta(days=1),
        )
    with world.acting(world.manager) as actor:
        version = policies.find_latest_version(furnished.given.policy_id)
        assert version is not None
        reconciling.set_deadline(
            actor, version_id=version.id, due_on=today() + timedelta(days=15), today=today()
        )
        sides = [
            side_of_version(policies.get_numbered_version(furnished.given.policy_id, number))
            for number in (1, 2)
        ]
        redlines.want_redline(policy_id=furnished.given.policy_id, old=sides[0], new=sides[1], now=now())


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
    by: Someone | None = None,
    school: Place | None = None,
) -> tuple[str, UUID, UUID]:
    header = PolicyHeader(title, person_responsible="Chief executive", approving_body="Board of trustees")
    with world.acting(by or world.manager) as actor:
        version = drafts.create_policy(
            actor,
            school_id=school.id if school else None,
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
        batch = import_queue.bring_archive(actor, content=_archive(), filename="all.zip", now=now())
        furnished.ids["batch_id"] = batch.id
    with furnished.world.acting(furnished.people[Role.HEADTEACHER]) as actor:
        own = {"content": IMPORTED, "now": now(), "school_id": furnished.ashgrove.id}
        furnished.ids["head_reading_id"] = importing.read_file(actor, filename="before.txt", **own).id
        compared = importing.read_file(actor, filename="ours.txt", **own)
        opened = joining.begin(
            actor,
            policy_id=_policy_id(furnished.joining),
            school_id=furnished.ashgrove.id,
            reading_id=compared.id,
            now=now(),
        )
        furnished.ids["pair_id"] = policies.joining_pairs(opened.id)[0].id
    with furnished.world.acting(furnished.world.manager) as actor:
        joining.hand_over(
            actor, policy_id=_policy_id(furnished.joining), school_id=furnished.ashgrove.id, now=now()
        )
    with furnished.world.looking():
        entries = policies.entries_of(furnished.ids["batch_id"])
        furnished.ids["import_entry_id"] = entries[0].entry.id
        import_queue.read_entry(entry_id=entries[0].entry.id, now=now())


def _signing(furnished: Furnished) -> None:
    world = furnished.world
    with world.acting(world.manager) as actor:
        due_on = today() + timedelta(days=20)
        guidance = documents.record_document(
            actor,
            DocumentDraft(
                title="Guidance for everybody",
                publisher="The Inspectorate",
                edition="autumn edition",
                published_on=today(),
                current_from=today(),
                link="https://inspectorate.example/guidance",
                parts="part one",
                statement=USUAL_DOCUMENT_STATEMENT,
            ),
            now=now(),
            today=today(),
        )
        furnished.ids["outside_id"] = guidance.document_id
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
            document_ids=[guidance.document_id],
        )
        furnished.ids["campaign_id"] = campaign.id
    world.run_jobs()
    with world.acting(world.manager) as actor:
        acceptance.change_campaign(
            actor,
            campaign_id=campaign.id,
            title="Annual signing, with a later day",
            academic_year=campaign.academic_year,
            policy_ids=[furnished.given.policy_id, _policy_id(furnished.drafting)],
            roles=[Role(role) for role in campaign.roles],
            opens_on=campaign.opens_on,
            due_on=campaign.due_on,
            now=now(),
            today=today(),
            document_ids=[guidance.document_id],
        )
    world.run_jobs()
    with world.looking():
        mine = db.session.scalars(
            select(Assignment.id).where(
                Assignment.person_id == furnished.reader.id, Assignment.state == "open"
            )
        ).all()
    assert len(mine) == 3, "the teacher is asked to sign both policies, and to confirm the guidance"
    with world.acting(furnished.reader) as actor:
        # The policies are read by the routes of their own: what is signed first is one of them.
        mine = sorted(
            mine,
            key=lambda one: acceptance.to_read(actor, assignment_id=one, today=today()).document is not None,
        )
        shown = acceptance.to_read(actor, assignment_id=mine[0], today=today())
        signature = acceptance.sign(
            actor,
            assignment_id=mine[0],
            edition_id=shown.edition_id,
            statement_seen=shown.statement_version,
            confirmed=True,
            now=now(),
            today=today(),
            user_agent="A browser",
        )
    furnished.ids |= {"assignment_id": mine[1], "signature_id": signature.id}


def _around_signing(furnished: Furnished) -> None:
    """What happens instead of signing: questions, an absence, printed codes, paper with its scan."""
    world, ashgrove = furnished.world, furnished.ashgrove
    cleaner = world.person("Clara Cleaner", (Role.CONTRACTOR, ashgrove), email=None)
    away = world.person("Ava Away", (Role.STAFF, ashgrove))
    world.run_jobs()
    with world.acting(world.manager) as actor:
        signing_codes.print_codes(
            actor, school_id=ashgrove.id, days=14, secret="of the sweeps", now=now(), today=today()
        )
        absence = acceptance.record_absence(
            actor, person_id=away.id, school_id=ashgrove.id, from_on=today(), to_on=None, now=now()
        )
        acceptance.set_line_manager(
            actor,
            person_id=away.id,
            school_id=ashgrove.id,
            manager_id=furnished.people[Role.LINE_MANAGER].id,
            today=today(),
        )
    with world.looking():
        owed = db.session.scalars(select(Assignment.id).where(Assignment.person_id == cleaner.id)).all()
    with world.acting(world.manager) as actor:
        (paper,) = acceptance.record_paper(
            actor,
            person_id=cleaner.id,
            school_id=ashgrove.id,
            assignment_ids=owed[:1],
            signed_on=today(),
            kept="In the office",
            scan=LOGO,
            now=now(),
            today=today(),
        )
    questions = []
    for words in ("Is this so on trips?", "And at weekends?"):
        with world.acting(furnished.reader) as actor:
            questions.append(
                acceptance.ask(
                    actor,
                    assignment_id=furnished.ids["assignment_id"],
                    asking=Asking.QUESTION,
                    to=To.HEAD,
                    words=words,
                    now=now(),
                    today=today(),
                )
            )
    with world.acting(furnished.given.head) as actor:
        acceptance.answer(actor, question_id=questions[1].id, answer="At weekends too.", now=now())
    _evidence(furnished)
    furnished.ids |= {
        "absence_id": absence.id,
        "paper_id": paper.id,
        "question_id": questions[0].id,
    }
    world.run_jobs()


def _evidence(furnished: Furnished) -> None:
    """A certificate and an evidence pack, with a file in the place of each."""
    world = furnished.world
    with world.acting(world.manager) as actor:
        pack = packs.ask_for_pack(
            actor, school_id=furnished.ashgrove.id, academic_year=academic_year(today()), now=now()
        )
    with world.looking(), unit_of_work():
        signature = db.session.scalars(
            select(Signature).where(Signature.id == furnished.ids["signature_id"])
        ).one()
        db.session.add(
            Certificate(
                id=uuid4(),
                school_id=signature.school_id,
                signature_id=signature.id,
                person_id=signature.person_id,
                paper=certificates.paper_of(signature, "http://portal.example"),
                pdf_hash=blobs.put(b"%PDF-1.7 certificate", "application/pdf"),
                made_at=now(),
            )
        )
        row = db.session.scalars(select(EvidencePack).where(EvidencePack.id == pack.id)).one()
        row.blob_hash, row.state, row.finished_at = blobs.put(b"PK pack", "application/zip"), "ready", now()
    furnished.ids["pack_id"] = pack.id


def _policy_id(slug: str) -> UUID:
    return db.session.scalars(select(Policy.id).where(Policy.slug == slug)).one()


def _workflows(furnished: Furnished) -> None:
    """A draft, a case that waits with the line manager, one that reached the register, and what belongs to them."""
    casework.furnish(
        furnished.world,
        ids=furnished.ids,
        school=furnished.ashgrove,
        people=furnished.people,
        starter=furnished.reader,
    )
    concerns.furnish(
        furnished.world,
        ids=furnished.ids,
        school=furnished.ashgrove,
        people=furnished.people,
        manager=furnished.reader,
    )


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


def _governing(furnished: Furnished) -> None:
    """A route and a delegation of the trust's own, a chair's action that the board ratified, a school taken out."""
    world = furnished.world
    _taken_out(furnished)
    _, policy_id, version_id = _policy(world, "Lockdown policy")
    board = Step(
        "Trust board",
        ApprovalRule.N_OF,
        roles=("trustee", "chair_of_trust_board"),
        needed=2,
        chair_may_act=True,
    )
    with world.acting(world.manager) as actor:
        routing.set_route(actor, policy_id=policy_id, steps=[board], row_version=0, now=now(), today=today())
        routing.delegate(
            actor,
            school_id=furnished.birchwood.id,
            to=Delegation.OFFICER,
            officer_id=furnished.people[Role.CEO].id,
            now=now(),
            today=today(),
        )
        run = approvals.submit_version(
            actor, version_id=version_id, reason="It is time.", marks={}, now=now()
        )
    furnished.acted = run.id
    with world.acting(furnished.people[Role.CHAIR_OF_TRUST_BOARD]) as actor:
        chairs_action.act_as_chair(
            actor,
            run_id=run.id,
            reason="It cannot wait.",
            content_hash=run.content_hash,
            now=now(),
            today=today(),
        )
    with world.acting(furnished.people[Role.CLERK]) as actor:
        chairs_action.ratify(
            actor,
            run_id=run.id,
            body="Trust board",
            met_on=today(),
            minute_reference="TB 1/1",
            ratified=True,
            comment="",
            now=now(),
            today=today(),
        )
    with world.acting(world.manager) as actor:
        drafting = policies.find_open_version(_policy_id(furnished.drafting))
        assert drafting is not None
        opened = consulting.open_for_comment(
            actor,
            version_id=drafting.id,
            roles=[Role.HEADTEACHER, Role.CEO],
            until=today() + timedelta(days=7),
            question="Does it work at your school?",
            now=now(),
            today=today(),
        )
    with world.acting(furnished.people[Role.HEADTEACHER]) as actor:
        said = consulting.comment(
            actor,
            consultation_id=opened.id,
            clause_key="kind",
            words="We say it otherwise.",
            now=now(),
            today=today(),
        )
        furnished.ids["comment_id"] = said.id
    # A policy of Ashgrove's own, and one that its head is writing.
    own, _, own_version = _policy(world, "Clubs policy", by=furnished.given.head, school=furnished.ashgrove)
    with world.acting(furnished.given.head) as actor:
        own_run = approvals.submit_version(
            actor, version_id=own_version, reason="Clubs begin in May.", marks={}, now=now()
        )
    with world.acting(furnished.given.chair) as actor:
        approvals.decide(
            actor,
            run_id=own_run.id,
            choice=VoteChoice.APPROVE,
            comment="",
            content_hash=own_run.content_hash,
            now=now(),
            today=today(),
        )
    with world.acting(furnished.given.head) as actor:
        publishing.publish_version(
            actor, version_id=own_version, effective_on=today(), now=now(), today=today()
        )
    furnished.own = own
    world.run_jobs()
    stored_pdfs(furnished)
    # Another that was closed, of a policy that was withdrawn afterwards; and one whose review is long overdue.
    _, withdrawn_id, _ = _policy(world, "Mufti days policy", publish_with=furnished.given.trustees)
    with world.acting(world.manager) as actor:
        again = drafts.start_draft(actor, policy_id=withdrawn_id, now=now())
        consulting.open_for_comment(
            actor,
            version_id=again.id,
            roles=[Role.HEADTEACHER],
            until=today(),
            question="",
            now=now(),
            today=today(),
        )
        consulting.close(actor, version_id=again.id, now=now())
        withdrawing.withdraw_policy(
            actor,
            policy_id=withdrawn_id,
            withdrawn_on=today(),
            because="Nobody needs it.",
            now=now(),
            today=today(),
        )
    world.run_jobs()
    with world.worker_app.app_context(), scope(Scope.job(world.trust_id)):
        reviewing.remind(Actor.portal(world.trust_id), now=now() + timedelta(days=360))


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


def _taken_out(furnished: Furnished) -> None:
    """A policy that applied everywhere, and goes on without one school."""
    world, trustees = furnished.world, furnished.given.trustees
    _, policy_id, _ = _policy(world, "Kites policy", publish_with=trustees)
    with world.acting(world.manager) as actor:
        version = drafts.start_draft(actor, policy_id=policy_id, now=now())
        drafts.change_header(
            actor,
            version_id=version.id,
            header_seen=drafts.header_mark(version),
            header=PolicyHeader.from_json(version.header),
            numbering=NumberingStyle.DECIMAL,
            where=Where(frozenset({str(furnished.ashgrove.id)})),
            now=now(),
        )
        version_id = version.id
    publish(world, trustees, version_id, dict[str, Mark]())
    stored_pdfs(furnished)


def _stamp(furnished: Furnished) -> None:
    """What an authority would have answered about the day's anchors; nothing here looks into it."""
    with furnished.world.worker_app.app_context(), scope(Scope.job(furnished.world.trust_id)):
        anchor_id = db.session.scalars(select(AuditAnchor.id)).first()
        assert anchor_id is not None
        with unit_of_work() as uow:
            db.session.add(
                AuditStamp(
                    id=uuid4(),
                    anchor_id=anchor_id,
                    response=b"a stamp",
                    stamped_at=now(),
                    authority="https://stamps.example/",
                )
            )
            db.session.add(
                CaseStamp(
                    trust_id=furnished.world.trust_id,
                    anchored_on=today(),
                    response=b"a stamp",
                    stamped_at=now(),
                    authority="https://stamps.example/",
                )
            )
            # The job finds that it is stamped already, as it does when it runs twice.
            uow.announce(Event.STAMP_WANTED, anchor_id=anchor_id)
    furnished.world.run_jobs()
