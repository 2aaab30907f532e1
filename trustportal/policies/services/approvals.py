"""Submitting the trust's text, voting, and recording what a board decided in its meeting."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

from trustportal import audit
from trustportal.access import ROLE_LABELS, Actor, Permission, Role
from trustportal.audit import Action
from trustportal.db import current_unit, db, unit_of_work
from trustportal.errors import Forbidden, RuleBroken
from trustportal.jobs import Event
from trustportal.policies import linting, queries, reading, texts
from trustportal.policies.domain import approval, changes, placeholders, references
from trustportal.policies.domain.approval import (
    Minute,
    MinuteOutcome,
    Outcome,
    RunState,
    Stage,
    Vote,
    VoteChoice,
)
from trustportal.policies.domain.clauses import check_tree, tree_hash
from trustportal.policies.domain.header import PolicyHeader
from trustportal.policies.models import ApprovalDecision, ApprovalRun, TemplateVersion
from trustportal.policies.queries import consultations
from trustportal.policies.services import consulting, lint, local, placing, runs, writing
from trustportal.policies.services.drafts import get_open_draft
from trustportal.tenants import queries as tenants
from trustportal.times import day_of


def submit_version(
    actor: Actor,
    *,
    version_id: UUID,
    reason: str,
    marks: Mapping[str, changes.Mark],
    now: datetime,
    answers: Mapping[str, str] | None = None,
) -> ApprovalRun:
    """Send a draft to its approvers. It is frozen: votes are bound to the hash of exactly these words.

    Every changed clause is marked editorial or material; a first version needs no marks. An error that lint finds
    refuses it, a warning has to be acknowledged: `answers` are those given with it (mark of the finding -> reason).
    """
    writing.require_writer_of(actor, version_id)
    if not reason.strip():
        raise RuleBroken(
            "Say in a sentence why this version is needed: the trustees read it first.", "reason"
        )
    with unit_of_work() as uow:
        version = get_open_draft(version_id)
        policy = queries.get_policy_by_id(version.policy_id)
        placing.refuse_withdrawn(policy)
        tree = reading.tree_of_version(version)
        header = PolicyHeader.from_json(version.header)
        header.check()
        check_tree(tree, complete=True)
        for key, about in references.dangling(tree):
            raise RuleBroken(
                f"The clause “{key}” refers to [[{about}]], which does not exist. Correct the reference.", key
            )
        _refuse_unknown_slots(tree)
        lint.require_clean(
            actor,
            linting.report_of_version(policy, version, day_of(now)),
            policy_id=policy.id,
            school_id=None,
            answers=answers or {},
            now=now,
        )
        base = queries.get_version(version.based_on_id) if version.based_on_id else None
        if base is not None:
            before = reading.tree_of_version(base)
            if not changes.changed_keys(before, tree) and base.header == version.header:
                raise RuleBroken("Nothing differs from the version in force. Change a clause first.")
            changes.check_marks(before, tree, marks)
            changed = set(changes.changed_keys(before, tree))
            version.marks = {key: mark.to_json() for key, mark in marks.items() if key in changed}
        style = reading.numbering_of(policy, version)
        version.tree = texts.freeze_tree(tree)
        version.content_hash = tree_hash(tree, style, header.content(), "trust")
        consultation = consultations.find_consultation(version.id, lock=True)
        if consultation is not None and consultation.closed_at is None:
            consulting.end(actor, consultation, now)
        version.reason = reason.strip()
        version.state, version.submitted_by, version.submitted_at = "submitted", actor.person_id, now
        run = runs.open_version_run(actor, policy=policy, version=version, reason=reason.strip(), now=now)
        audit.record(
            actor,
            Action.VERSION_SUBMITTED,
            policy_id=policy.id,
            version_id=version.id,
            run_id=run.id,
            content_hash=version.content_hash,
        )
        uow.announce(Event.APPROVAL_ASKED, run_id=run.id)
    return run


def _refuse_unknown_slots(tree: tuple[object, ...]) -> None:
    known = tenants.known_placeholders()
    for clause in tree:
        words = f"{clause.heading}\n{clause.text}"  # type: ignore[attr-defined]
        for name in placeholders.find(words):
            if name not in known:
                raise RuleBroken(
                    f"{{{{{name}}}}} is not one of the trust's placeholders."
                    " Define it in Settings, or correct its name.",
                    clause.key,  # type: ignore[attr-defined]
                )
        for written in placeholders.malformed(words):
            raise RuleBroken(
                f"“{written}” is not a placeholder: names are small letters, digits, underscores and dots.",
                clause.key,  # type: ignore[attr-defined]
            )


def withdraw_version(actor: Actor, *, version_id: UUID, now: datetime) -> None:
    """Take a version back to draft, before or after its approval but not after publication. Votes end with the run."""
    writing.require_writer_of(actor, version_id)
    with unit_of_work():
        version = queries.get_version(version_id, lock=True)
        if version.state not in {"submitted", "approved"}:
            raise RuleBroken(
                "Only a version that is being approved, or waits to be published, can be taken back."
            )
        run = queries.find_pending_run(version_id=version_id)
        if run is not None:
            run.state, run.ended_at = "withdrawn", now
        _back_to_draft(version)
        audit.record(actor, Action.VERSION_WITHDRAWN, policy_id=version.policy_id, version_id=version.id)


def _back_to_draft(version: TemplateVersion) -> None:
    version.state = "draft"
    version.approved_at = None


# -- deciding ----------------------------------------------------------------------------------------------------


def state_of(run: ApprovalRun, *, on: date) -> RunState:
    """How a run stands on a day, from its decisions. Who lost the post by which they were asked is out of the count."""
    votes: dict[int, list[Vote]] = {}
    minutes: dict[int, Minute] = {}
    for row in queries.decisions_of([run.id]):
        if row.choice in ALONE:
            minutes[row.stage] = _ended_by(row)
        else:
            votes.setdefault(row.stage, []).append(_vote(row))
    cast = [(at, vote.person) for at, found in votes.items() for vote in found]
    stages = runs.still_members(run, on=on, voted=cast)
    return approval.judge_run(stages, votes, barred_in(run), run.content_hash, minutes)


#: Decisions that end a stage by themselves: of the body in its meeting, and of its chair between meetings.
ALONE = frozenset({"minuted", "chairs_action"})


def _vote(row: ApprovalDecision) -> Vote:
    return Vote(str(row.person_id), VoteChoice(row.choice), row.content_hash, row.comment)


def _ended_by(row: ApprovalDecision) -> Minute:
    if row.choice == "chairs_action":
        day = day_of(row.decided_at)
        return Minute(row.body, day, "chair’s action", True, MinuteOutcome.APPROVED, row.content_hash)
    assert row.met_on is not None
    return Minute(
        row.body,
        row.met_on,
        row.minute_reference,
        bool(row.quorum_met),
        MinuteOutcome(row.outcome),
        row.content_hash,
        row.comment,
    )


def barred_in(run: ApprovalRun) -> frozenset[str]:
    """Who wrote or submitted what this run judges."""
    return approval.barred_from(run.author_ids, str(run.submitted_by))


def roles_in(actor: Actor, run: ApprovalRun) -> frozenset[str]:
    """The posts by which somebody may be a member of a run: the trust's, and those of its school."""
    at_school = actor.roles_at(run.school_id) if run.school_id is not None else frozenset[Role]()
    return frozenset(role.value for role in actor.trust_roles | at_school)


def decide(
    actor: Actor,
    *,
    run_id: UUID,
    choice: VoteChoice,
    comment: str,
    content_hash: str,
    now: datetime,
    today: date,
) -> RunState:
    """Cast one vote: approve, ask for changes (with a comment), or step aside. Bound to the hash that was read."""
    with unit_of_work():
        run = queries.get_run(run_id, lock=True)
        before, stage = open_stage(actor, run, today)
        cast = votes_cast(run, before.stage)
        vote = Vote(str(actor.person_id), choice, content_hash, comment.strip())
        approval.check_vote(stage, cast, vote, barred=barred_in(run), content_hash=run.content_hash)
        record_decision(
            actor,
            run,
            before.stage,
            ApprovalDecision(
                choice=choice.value, comment=comment.strip(), content_hash=content_hash, decided_at=now
            ),
        )
        audit.record(
            actor,
            Action.APPROVAL_DECIDED,
            run_id=run.id,
            policy_id=run.policy_id,
            school_id=run.school_id,
            stage=before.stage,
            choice=choice,
            content_hash=content_hash,
        )
        return move_on(actor, run, now, today)


def open_stage(actor: Actor, run: ApprovalRun, today: date) -> tuple[RunState, Stage]:
    """The stage that is open, for somebody who was asked in it and still holds the post."""
    _require_member(actor, run)
    if run.state != "pending":
        raise RuleBroken("This approval has ended, so no more votes are taken.")
    state = state_of(run, on=today)
    stage = approval.stages_from_json(run.stages)[state.stage]
    person = str(actor.person_id)
    if person in stage.members and not stage.is_member(person, roles_in(actor, run)):
        raise RuleBroken("You no longer hold the post by which you were asked, so you cannot vote on this.")
    return state, stage


def votes_cast(run: ApprovalRun, stage: int) -> list[Vote]:
    return [
        _vote(row) for row in queries.decisions_of([run.id]) if row.stage == stage and row.choice not in ALONE
    ]


def _require_member(actor: Actor, run: ApprovalRun) -> None:
    if run.school_id is not None and actor.can(Permission.EDITION_DECIDE, run.school_id):
        return
    if not actor.can(Permission.APPROVAL_DECIDE):
        raise Forbidden()


def minute(
    actor: Actor,
    *,
    run_id: UUID,
    body: str,
    met_on: date,
    minute_reference: str,
    quorum_met: bool,
    outcome: MinuteOutcome,
    comment: str,
    content_hash: str,
    now: datetime,
    today: date,
) -> RunState:
    """The clerk records what a body decided in a meeting: body, date, minute reference, quorum."""
    actor.require(Permission.APPROVAL_MINUTE)
    with unit_of_work():
        run = queries.get_run(run_id, lock=True)
        if run.state != "pending":
            raise RuleBroken("This approval has ended, so nothing more is recorded for it.")
        if run.school_id is not None:
            raise RuleBroken("A school's own changes are decided by those who were asked, not by a minute.")
        if str(actor.person_id) in barred_in(run):
            raise RuleBroken("You wrote or submitted this, so somebody else records the decision about it.")
        before = state_of(run, on=today)
        stage = approval.stages_from_json(run.stages)[before.stage]
        decided = Minute(
            body.strip(), met_on, minute_reference.strip(), quorum_met, outcome, content_hash, comment.strip()
        )
        approval.check_minute(stage, decided, content_hash=run.content_hash, today=today)
        record_decision(
            actor,
            run,
            before.stage,
            ApprovalDecision(
                choice="minuted",
                comment=decided.comment,
                content_hash=content_hash,
                body=decided.body,
                minute_reference=decided.reference,
                met_on=met_on,
                quorum_met=quorum_met,
                outcome=outcome.value,
                decided_at=now,
            ),
        )
        audit.record(
            actor,
            Action.APPROVAL_MINUTED,
            run_id=run.id,
            policy_id=run.policy_id,
            body=decided.body,
            met_on=met_on,
            minute_reference=decided.reference,
            outcome=outcome,
            content_hash=content_hash,
        )
        return move_on(actor, run, now, today)


def settle(actor: Actor, *, now: datetime, today: date) -> int:
    """People left or lost a post: open runs whose rule is met by those who remain, or can no longer be met, end.

    Returns how many moved on.
    """
    moved = 0
    with unit_of_work():
        for run in queries.pending_runs():
            state = state_of(run, on=today)
            if state.outcome is not Outcome.PENDING or state.stage != run.stage:
                move_on(actor, run, now, today)
                moved += 1
    return moved


def record_decision(actor: Actor, run: ApprovalRun, stage: int, row: ApprovalDecision) -> None:
    roles = actor.roles_at(run.school_id) or actor.trust_roles or frozenset({Role.STAFF})
    row.run_id, row.school_id, row.stage = run.id, run.school_id, stage
    assert actor.person_id is not None
    row.person_id, row.person_name = actor.person_id, actor.name
    row.role_label = ROLE_LABELS[min(roles, key=list(Role).index)]
    db.session.add(row)
    db.session.flush()


def move_on(actor: Actor, run: ApprovalRun, now: datetime, today: date) -> RunState:
    """After a decision: the next stage, or the end of the run and what it means for what was judged."""
    state = state_of(run, on=today)
    unit = current_unit()
    if state.outcome is Outcome.PENDING:
        if state.stage != run.stage:
            run.stage = state.stage
            unit.announce(Event.APPROVAL_ASKED, run_id=run.id)
        return state
    run.state, run.ended_at = state.outcome.value, now
    audit.record(
        actor,
        Action.APPROVAL_ENDED,
        run_id=run.id,
        policy_id=run.policy_id,
        school_id=run.school_id,
        outcome=state.outcome,
        content_hash=run.content_hash,
    )
    unit.announce(Event.APPROVAL_ENDED, run_id=run.id)
    if run.version_id is not None:
        version = queries.get_version(run.version_id, lock=True)
        if state.outcome is Outcome.APPROVED:
            version.state, version.approved_at = "approved", now
        else:
            _back_to_draft(version)
        return state
    assert run.edition_id is not None
    edition = queries.get_edition(run.edition_id, lock=True)
    if state.outcome is Outcome.APPROVED:
        queries.get_standing(run.policy_id, run.school_id, lock=True).author_ids = []
        version = queries.get_version(edition.template_version_id)
        local.approve_edition(
            actor,
            edition,
            approvals=printed_approvals(run),
            effective_on=max(today, version.effective_on or today),
            now=now,
            by="approval",
        )
    else:
        edition.state = "returned"
        audit.record(
            actor,
            Action.EDITION_RETURNED,
            run_id=run.id,
            edition_id=edition.id,
            policy_id=run.policy_id,
            school_id=run.school_id,
            content_hash=edition.content_hash,
        )
    return state


def printed_approvals(run: ApprovalRun) -> list[dict[str, str]]:
    """The decisions of a run as they are printed: who approved, as what, when, and how."""
    printed: list[dict[str, str]] = []
    for row in queries.decisions_of([run.id]):
        on = row.decided_at.date().isoformat()
        body = run.stages[row.stage]["body"]
        if row.choice == "minuted" and row.outcome == "approved":
            assert row.met_on is not None
            printed.append(
                {
                    "body": row.body,
                    "by": f"recorded by {row.person_name}",
                    "on": row.met_on.isoformat(),
                    "minute": row.minute_reference,
                    "method": "decided in a meeting",
                }
            )
        elif row.choice == "chairs_action":
            printed.append(
                {
                    "body": body,
                    "by": f"{row.person_name}, {row.role_label}",
                    "on": on,
                    "minute": "",
                    "method": "chair’s action between meetings",
                }
            )
        elif row.choice == "approve":
            printed.append(
                {
                    "body": body,
                    "by": f"{row.person_name}, {row.role_label}",
                    "on": on,
                    "minute": "",
                    "method": "voted in the portal",
                }
            )
    return printed
