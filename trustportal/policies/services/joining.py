"""A joining school's own policy: laid beside the trust's, decided clause by clause, taken over as a draft edition.

The trust's office may lay it there and prepare the decisions; that its words are the school's is the head's to say.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from trustportal import audit
from trustportal.access import Actor, Permission
from trustportal.audit import Action
from trustportal.db import db, unit_of_work
from trustportal.errors import Conflict, RuleBroken
from trustportal.jobs import Event
from trustportal.policies import queries, reading
from trustportal.policies.domain import placeholders, references
from trustportal.policies.domain.answers import Added, Answer, Override, check_added, check_override
from trustportal.policies.domain.clauses import (
    Clause,
    Kind,
    Mode,
    Tree,
    Weight,
    Words,
    by_key,
    fresh_key,
    labels,
)
from trustportal.policies.domain.joining import OwnClause, Proposal, align, folded
from trustportal.policies.import_models import Joining, JoiningPair
from trustportal.policies.importing.reading import unpack
from trustportal.policies.services import local
from trustportal.policies.services.drafts import tidy
from trustportal.tenants import queries as tenants
from trustportal.times import day_of

ACCEPT, DROP = "accept", "drop"


def as_read_here(tree: Tree, numbers: dict[str, str], values: dict[str, str]) -> dict[str, Words]:
    """The trust's words as they read at the school: slots filled, references as numbers."""

    def read(text: str) -> str:
        return references.REFERENCE.sub(
            lambda found: numbers.get(found[1]) or references.NOT_USED, placeholders.fill(text, values)[0]
        )

    return {clause.key: Words(read(clause.heading), read(clause.text)) for clause in tree}


def _opened(policy_id: UUID, school_id: UUID) -> Joining:
    found = queries.find_open_joining(policy_id, school_id, lock=True)
    if found is None:
        raise RuleBroken("This comparison was finished or given up meanwhile.")
    return found


def begin(actor: Actor, *, policy_id: UUID, school_id: UUID, reading_id: UUID, now: datetime) -> Joining:
    """Lay a corrected reading beside the trust's version that the school stands on. Nothing is changed yet."""
    actor.require(Permission.JOINING_PREPARE, school_id)
    with unit_of_work():
        row = queries.get_reading(reading_id, actor.person_id, lock=True)
        if row.used_at is not None:
            raise RuleBroken("This file was used already. Bring it again to compare it once more.")
        _, version = local.open_standing(policy_id, school_id, day_of(now))
        if queries.find_open_joining(policy_id, school_id) is not None:
            raise RuleBroken("Another file is being compared already. Finish that, or give it up, first.")
        policy = queries.get_policy_by_id(policy_id)
        tree = reading.tree_of_version(version)
        numbers = labels(tree, reading.numbering_of(policy, version))
        trust_words = as_read_here(tree, numbers, tenants.values_for_place(school_id))
        theirs = folded(
            [
                OwnClause(one.label, one.heading, one.text, one.depth, one.kind is Kind.SUBHEADING)
                for one in unpack(row.reading).clauses
            ]
        )
        joining = Joining(
            id=uuid4(),
            policy_id=policy_id,
            school_id=school_id,
            version_id=version.id,
            filename=row.filename,
            state="open",
            created_by=actor.person_id,
            created_at=now,
        )
        db.session.add(joining)
        db.session.flush()
        for position, pair in enumerate(align(theirs, tree, trust_words)):
            own = theirs[pair.own] if pair.own is not None else OwnClause("", "", "")
            db.session.add(
                JoiningPair(
                    joining_id=joining.id,
                    school_id=school_id,
                    position=position,
                    kin=pair.kin.value,
                    clause_key=pair.key,
                    proposal=pair.proposal.value,
                    anchor_key=pair.anchor,
                    score=round(100 * pair.score),
                    label=own.label,
                    own_heading=own.heading,
                    own_text=own.text,
                    heading=own.heading,
                    text=own.text,
                )
            )
        row.used_at, row.policy_id = now, policy_id
        audit.record(
            actor, Action.OVERRIDE_CHANGED, policy_id=policy_id, school_id=school_id, what="comparison begun"
        )
    return joining


def decide(
    actor: Actor,
    *,
    policy_id: UUID,
    school_id: UUID,
    pair_id: UUID,
    accept: bool,
    heading: str,
    text: str,
    reason: str,
    row_version: int,
    now: datetime,
) -> None:
    """Accept a proposal, in these words and for this reason, or drop it. It can be changed until all is finished.

    The head decides. What the trust's office says is kept as prepared, with who said it, and decides nothing; about
    what the head has decided it has no say any more.
    """
    actor.require(Permission.JOINING_PREPARE, school_id)
    with unit_of_work():
        joining = _opened(policy_id, school_id)
        row = queries.get_joining_pair(joining.id, pair_id, lock=True)
        if row.row_version != row_version:
            raise Conflict(
                "Somebody else decided this clause meanwhile. Look at it again.",
                theirs={"heading": row.heading, "text": row.text, "reason": row.reason},
                ours={"heading": heading, "text": text, "reason": reason},
            )
        decides = actor.can(Permission.OVERRIDE_EDIT, school_id)
        if not decides and row.choice is not None:
            raise RuleBroken("The school's head has decided this clause already.")
        if accept:
            tree = reading.tree_of_version(queries.get_version(joining.version_id))
            answers = reading.working_answers(policy_id, school_id)
            _proposal(row, tree, answers, heading=heading.strip(), text=tidy(text), reason=reason.strip())
            row.heading, row.text = heading.strip(), tidy(text)
        said, row.reason = (ACCEPT if accept else DROP), reason.strip()
        if decides:
            row.choice, row.decided_by, row.decided_at = said, actor.person_id, now
        else:
            row.prepared, row.prepared_by, row.prepared_at = said, actor.person_id, now
        row.row_version += 1


def hand_over(actor: Actor, *, policy_id: UUID, school_id: UUID, now: datetime) -> int:
    """The trust's office has prepared what it can: tell the head, who decides. Returns how many are prepared."""
    actor.require(Permission.JOINING_PREPARE, school_id)
    with unit_of_work() as uow:
        joining = _opened(policy_id, school_id)
        prepared = sum(one.prepared is not None for one in queries.joining_pairs(joining.id))
        audit.record(
            actor,
            Action.OVERRIDE_CHANGED,
            policy_id=policy_id,
            school_id=school_id,
            what=f"comparison handed over, {prepared} prepared",
        )
        uow.announce(Event.JOINING_PREPARED, joining_id=joining.id)
    return prepared


def take_prepared(actor: Actor, *, policy_id: UUID, school_id: UUID, now: datetime) -> int:
    """The head decides every clause that is still open as it was prepared. Returns how many. Each can be changed."""
    actor.require(Permission.OVERRIDE_EDIT, school_id)
    with unit_of_work():
        joining = _opened(policy_id, school_id)
        open_ = [row for row in queries.joining_pairs(joining.id) if row.prepared and row.choice is None]
        tree = reading.tree_of_version(queries.get_version(joining.version_id))
        answers = reading.working_answers(policy_id, school_id)
        for row in open_:
            if row.prepared == ACCEPT:
                _proposal(row, tree, answers, heading=row.heading, text=row.text, reason=row.reason)
            row.choice, row.decided_by, row.decided_at = row.prepared, actor.person_id, now
            row.row_version += 1
    return len(open_)


def _proposal(
    row: JoiningPair,
    tree: Tree,
    answers: tuple[dict[str, Override], tuple[Added, ...]],
    *,
    heading: str,
    text: str,
    reason: str,
    after: str = "",
) -> Override | Added:
    """What an accepted pair records. Raises `RuleBroken` where the clause's mode, or what is there already, forbids."""
    overrides, added = answers
    clauses = by_key(tree)
    if row.proposal == Proposal.REPLACE.value and row.clause_key is not None:
        clause = clauses.get(row.clause_key)
        if clause is None:
            raise RuleBroken("The trust's policy has no such clause any more. Add yours by hand instead.")
        if row.clause_key in overrides:
            raise RuleBroken(
                "Your school has words of its own for this clause already. Change them on the clause's page, and drop "
                "this proposal."
            )
        override = Override(
            clause_key=clause.key,
            answer=Answer.REPLACE,
            heading=None if heading == clause.heading or not heading else heading,
            text=text,
            reason=reason,
            base_heading=clause.heading,
            base_text=clause.text,
            weight=Weight.MATERIAL,
        )
        check_override(tree, override)
        return override
    if row.proposal != Proposal.ADD.value:
        raise RuleBroken(_forbidden(clauses.get(row.clause_key or "")), "choice")
    key = fresh_key(
        {*clauses, *(one.key for one in added)}, "here-" + (heading or " ".join(text.split()[:5]))
    )
    one = Added(key, after or row.anchor_key, heading, text, reason, Weight.MATERIAL)
    check_added(tree, one, added)
    return one


def _forbidden(clause: Clause | None) -> str:
    if clause is not None and clause.mode is Mode.LOCKED:
        return (
            "The trust has locked this clause and those around it, so your words cannot replace it or stand "
            "after it."
        )
    return "The trust lets no school add a clause in this part of the policy."


def finish(actor: Actor, *, policy_id: UUID, school_id: UUID, drop_rest: bool, now: datetime) -> int:
    """Write what was accepted into the school's working answers; they wait to be submitted. Returns how many.

    Nothing in force is touched. What was dropped stays in the comparison, which is kept.
    """
    actor.require(Permission.OVERRIDE_EDIT, school_id)
    with unit_of_work():
        _, version = local.open_standing(policy_id, school_id, day_of(now))
        joining = _opened(policy_id, school_id)
        if joining.version_id != version.id:
            raise RuleBroken(
                "The trust's text has changed since you began. Give this comparison up and bring the file again; what "
                "you decided stays to be read."
            )
        rows = queries.joining_pairs(joining.id)
        waiting = [row for row in rows if row.proposal != Proposal.NOTHING.value and row.choice is None]
        if waiting and not drop_rest:
            raise RuleBroken(
                f"{len(waiting)} of your clauses are not decided yet. Decide them, or tick that the rest is dropped.",
                "drop_rest",
            )
        for row in waiting:
            row.choice, row.decided_by, row.decided_at = DROP, actor.person_id, now
        tree = reading.tree_of_version(version)
        overrides, added = reading.working_answers(policy_id, school_id)
        last: dict[str, str] = {}
        accepted = [row for row in rows if row.choice == ACCEPT]
        for row in accepted:
            made = _proposal(
                row,
                tree,
                (overrides, added),
                heading=row.heading,
                text=row.text,
                reason=row.reason,
                after=last.get(row.anchor_key, ""),
            )
            prepared: dict[str, Any] = {"prepared_by": row.prepared_by} if row.prepared == ACCEPT else {}
            if isinstance(made, Override):
                overrides[made.clause_key] = made
            else:
                added = (*added, made)
                last[row.anchor_key] = made.key
            audit.record(
                actor,
                Action.OVERRIDE_CHANGED,
                policy_id=policy_id,
                school_id=school_id,
                clause_key=made.clause_key if isinstance(made, Override) else made.key,
                what="taken over from its own policy",
                **prepared,
            )
        local.write_answers(actor, policy_id, school_id, overrides, added, now)
        joining.state, joining.ended_at = "done", now
    return len(accepted)


def give_up(actor: Actor, *, policy_id: UUID, school_id: UUID, now: datetime) -> None:
    """End a comparison without taking anything over. Its rows are kept.

    The trust's office may end what it began itself, as long as the head has decided nothing.
    """
    actor.require(Permission.JOINING_PREPARE, school_id)
    with unit_of_work():
        joining = _opened(policy_id, school_id)
        if not actor.can(Permission.OVERRIDE_EDIT, school_id) and (
            joining.created_by != actor.person_id
            or any(row.choice is not None for row in queries.joining_pairs(joining.id))
        ):
            raise RuleBroken("The school's head works on this comparison, and is the one who can give it up.")
        joining.state, joining.ended_at = "given_up", now
        audit.record(
            actor,
            Action.OVERRIDE_CHANGED,
            policy_id=policy_id,
            school_id=school_id,
            what="comparison given up",
        )
