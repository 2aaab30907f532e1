"""Published policies for the tests of pages, made through the services that people use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from tests.world import Place, Someone, World
from trustportal import jobs
from trustportal.access import Actor, Role
from trustportal.db import Scope, scope, unit_of_work
from trustportal.policies import queries
from trustportal.policies.domain.answers import Answer
from trustportal.policies.domain.approval import VoteChoice
from trustportal.policies.domain.changes import Mark
from trustportal.policies.domain.clauses import Clause, Kind, Mode, NumberingStyle, Tree, Weight
from trustportal.policies.domain.header import PolicyHeader
from trustportal.policies.services import approvals, drafts, local, publishing
from trustportal.times import now, today

ADMINISTRATORS = "Every account has at least two administrators."
TREE: Tree = (
    Clause("why", None, Kind.SECTION, "Why we have this policy", "Accounts speak for {{school.name}}."),
    Clause("accounts", None, Kind.SECTION, "Official accounts"),
    Clause(
        "approval",
        "accounts",
        Kind.CLAUSE,
        "",
        "Nobody opens an account before the {{role.headteacher}} approves it.",
    ),
    Clause("administrators", "accounts", Kind.CLAUSE, "Administrators", ADMINISTRATORS, Mode.ADAPTABLE),
    Clause(
        "societies", "accounts", Kind.CLAUSE, "", "Sixth-form societies may run an account.", Mode.ADAPTABLE
    ),
    Clause("trips", "accounts", Kind.CLAUSE, "", "Photographs follow [[approval]].", Mode.EXTEND),
    Clause("form", None, Kind.APPENDIX, "The form", "Name, purpose, closing date."),
)


@dataclass
class Social:
    """A trust with one policy, published at its schools, and the people who handle it."""

    world: World
    school: Place
    head: Someone
    chair: Someone
    teacher: Someone
    trustees: tuple[Someone, Someone]
    policy_id: UUID
    slug: str

    def url(self, path: str = "", *, school: Place | None = None) -> str:
        """An address below the policy at the school."""
        place = school or self.school
        return self.world.url(f"schools/{place.slug}/policies/{self.slug}" + (f"/{path}" if path else ""))

    def answer(
        self,
        key: str,
        text: str | None = None,
        *,
        answer: Answer = Answer.REPLACE,
        reason: str = "Our office holds the register.",
        row_version: int = 0,
    ) -> None:
        """The head's answer to a clause."""
        with self.world.acting(self.head) as actor:
            local.answer_clause(
                actor,
                policy_id=self.policy_id,
                school_id=self.school.id,
                key=key,
                answer=answer,
                heading=None,
                text=text,
                reason=reason,
                weight=Weight.MATERIAL,
                row_version=row_version,
                now=now(),
            )

    def add(self, after: str, text: str, reason: str = "Agreed by governors.") -> str:
        """A clause of the school's own."""
        with self.world.acting(self.head) as actor:
            return local.add_clause(
                actor,
                policy_id=self.policy_id,
                school_id=self.school.id,
                after=after,
                heading="",
                text=text,
                reason=reason,
                weight=Weight.MATERIAL,
                now=now(),
            )

    def approve(self, choice: VoteChoice = VoteChoice.APPROVE, comment: str = "") -> None:
        """The chair decides about what waits."""
        with self.world.acting(self.chair) as actor:
            edition = queries.find_submitted_edition(self.policy_id, self.school.id)
            assert edition is not None
            run = queries.find_pending_run(edition_id=edition.id)
            assert run is not None
            approvals.decide(
                actor,
                run_id=run.id,
                choice=choice,
                comment=comment,
                content_hash=run.content_hash,
                now=now(),
                today=today(),
            )
        run_quick_jobs(self.world)

    def submit_and_approve(self, reason: str = "What is different here.") -> None:
        """The head sends, the chair approves."""
        with self.world.acting(self.head) as actor:
            local.submit_edition(
                actor, policy_id=self.policy_id, school_id=self.school.id, reason=reason, now=now()
            )
        self.approve()

    def next_version(
        self, texts: dict[str, str | None], *, decide_by: date | None = None, effective_on: date | None = None
    ) -> None:
        """The trust publishes a version with other words; None removes a clause."""
        with self.world.acting(self.world.manager) as actor:
            version = drafts.start_draft(actor, policy_id=self.policy_id, now=now())
            rows = {row.key: row for row in queries.draft_clauses(version.id)}
            tree = tuple(
                Clause(
                    row.key,
                    row.parent_key,
                    Kind(row.kind),
                    row.heading,
                    texts.get(row.key) or row.text,
                    Mode(row.mode),
                    row.needs_agreement,
                )
                for row in rows.values()
                if texts.get(row.key, "") is not None
            )
            with_tree(actor, version.id, tree)
        marks = {key: Mark(Weight.MATERIAL, "After the spring review.") for key in texts}
        publish(self.world, self.trustees, version.id, marks, decide_by=decide_by, effective_on=effective_on)


def run_quick_jobs(world: World) -> None:
    """Everything due but PDFs, which take their time; `world.run_jobs()` makes them."""
    with world.worker_app.app_context(), scope(Scope.job(world.trust_id)):
        jobs.run_inline(queues=("default", "mail"))


def with_tree(actor: Actor, version_id: UUID, tree: Tree) -> None:
    """Make a draft say `tree`."""
    with unit_of_work():
        drafts.write_tree(queries.get_version(version_id), tree, actor, now())


def publish(
    world: World,
    trustees: tuple[Someone, Someone],
    version_id: UUID,
    marks: dict[str, Mark],
    *,
    decide_by: date | None = None,
    effective_on: date | None = None,
) -> None:
    """Submit a version, have two trustees approve it, publish it, and bring it to its places."""
    with world.acting(world.manager) as actor:
        run = approvals.submit_version(
            actor, version_id=version_id, reason="After the spring review.", marks=marks, now=now()
        )
        run_id, content_hash = run.id, run.content_hash
    for trustee in trustees:
        with world.acting(trustee) as actor:
            approvals.decide(
                actor,
                run_id=run_id,
                choice=VoteChoice.APPROVE,
                comment="",
                content_hash=content_hash,
                now=now(),
                today=today(),
            )
    with world.acting(world.manager) as actor:
        publishing.publish_version(
            actor,
            version_id=version_id,
            effective_on=effective_on or today(),
            decide_by=decide_by,
            now=now(),
            today=today(),
        )
    run_quick_jobs(world)


def social(world: World, *, tree: Tree = TREE, public: bool = True, school: str = "Ashgrove") -> Social:
    """A trust, a school and its people, with a policy in force."""
    place = world.school(school)
    head = world.person("Hana Head", (Role.HEADTEACHER, place))
    chair = world.person("Cleo Chair", (Role.CHAIR_OF_GOVERNORS, place))
    teacher = world.person("Tom Teacher", (Role.STAFF, place))
    trustees = (world.person("Una Trustee", Role.TRUSTEE), world.person("Vera Trustee", Role.TRUSTEE))
    run_quick_jobs(world)
    header = PolicyHeader(
        "Social media policy",
        person_responsible="Trust network manager",
        approving_body="Board of trustees",
        public=public,
    )
    with world.acting(world.manager) as actor:
        version = drafts.create_policy(
            actor, header=header, numbering=NumberingStyle.DECIMAL, tree=tree, now=now() - timedelta(days=1)
        )
        policy_id, version_id = version.policy_id, version.id
        slug = queries.get_policy_by_id(policy_id).slug
    publish(world, trustees, version_id, {})
    return Social(world, place, head, chair, teacher, trustees, policy_id, slug)
