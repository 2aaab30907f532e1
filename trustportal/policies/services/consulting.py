"""A draft is opened to heads and others for comment until a date; its authors answer; the clock closes it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID, uuid4

from trustportal import audit
from trustportal.access import ROLE_LABELS, Actor, Permission, Role
from trustportal.audit import Action
from trustportal.db import current_unit, db, unit_of_work
from trustportal.errors import NotFound, RuleBroken
from trustportal.jobs import Event
from trustportal.policies import queries, reading
from trustportal.policies.domain.clauses import canonical_hash
from trustportal.policies.governance_models import Consultation, DraftComment
from trustportal.policies.queries import consultations
from trustportal.policies.services import placing
from trustportal.policies.services.drafts import get_open_draft

#: Posts that may be asked for comments.
ASKABLE = (
    Role.HEADTEACHER,
    Role.DEPUTY_HEADTEACHER,
    Role.CHAIR_OF_GOVERNORS,
    Role.GOVERNOR,
    Role.DSL,
    Role.BUSINESS_MANAGER,
    Role.TRUSTEE,
    Role.CHAIR_OF_TRUST_BOARD,
    Role.CEO,
    Role.HR_LEAD,
    Role.DPO,
    Role.CLERK,
)


def open_for_comment(
    actor: Actor,
    *,
    version_id: UUID,
    roles: Collection[Role],
    until: date,
    question: str,
    now: datetime,
    today: date,
) -> Consultation:
    """Show a draft to people with some posts, who may comment on its clauses until the end of a day."""
    actor.require(Permission.TEMPLATE_EDIT)
    if not roles or set(roles) - set(ASKABLE):
        raise RuleBroken("Choose who is asked.", "roles")
    if until < today:
        raise RuleBroken("The last day for comments has passed. Choose a later one.", "until")
    with unit_of_work() as uow:
        version = get_open_draft(version_id)
        placing.refuse_withdrawn(queries.get_policy_by_id(version.policy_id))
        found = consultations.find_consultation(version.id, lock=True)
        if found is not None and found.closed_at is None:
            raise RuleBroken("This draft is open for comment already. Close it first to ask others.")
        made = Consultation(
            id=uuid4(),
            version_id=version.id,
            roles=[role.value for role in ASKABLE if role in roles],
            question=question.strip(),
            until=until,
            opened_by=actor.person_id,
            opened_at=now,
        )
        db.session.add(made)
        db.session.flush()
        audit.record(
            actor,
            Action.CONSULTATION_OPENED,
            policy_id=version.policy_id,
            version_id=version.id,
            consultation_id=made.id,
            until=until,
        )
        uow.announce(Event.CONSULTATION_OPENED, consultation_id=made.id)
    return made


def is_asked(actor: Actor, consultation: Consultation) -> bool:
    """Whether somebody holds, at the trust or at any school, one of the posts that are asked."""
    held = actor.trust_roles.union(*actor.school_roles.values())
    return bool({role.value for role in held} & set(consultation.roles))


def comment(
    actor: Actor, *, consultation_id: UUID, clause_key: str, words: str, now: datetime, today: date
) -> DraftComment:
    """Say something about a clause of a draft, or ("") about the whole. Only while it is open, only who is asked."""
    with unit_of_work():
        found = consultations.get_consultation(consultation_id)
        if not is_asked(actor, found) and not actor.can(Permission.TEMPLATE_EDIT):
            raise NotFound()
        if found.closed_at is not None or found.until < today:
            raise RuleBroken("The time for comments has passed.")
        if not words.strip():
            raise RuleBroken("Write your comment.", "words")
        version = queries.get_version(found.version_id)
        clause = next((one for one in reading.tree_of_version(version) if one.key == clause_key), None)
        if clause_key and clause is None:
            raise RuleBroken(
                "This clause was taken out of the draft meanwhile. Comment on the whole instead."
            )
        assert actor.person_id is not None
        roles = actor.trust_roles.union(*actor.school_roles.values())
        asked = [role for role in Role if role in roles and role.value in found.roles]
        shown = asked or [role for role in Role if role in roles]
        made = DraftComment(
            id=uuid4(),
            consultation_id=found.id,
            clause_key=clause_key,
            clause_mark=mark_of(clause.heading, clause.text) if clause else "",
            person_id=actor.person_id,
            person_name=actor.name,
            role_label=ROLE_LABELS[shown[0]] if shown else "",
            words=words.strip()[:4000],
            made_at=now,
        )
        db.session.add(made)
        db.session.flush()
        audit.record(
            actor,
            Action.COMMENT_MADE,
            policy_id=version.policy_id,
            version_id=version.id,
            comment_id=made.id,
            clause_key=clause_key,
        )
    return made


def mark_of(heading: str, text: str) -> str:
    """What tells one state of a clause's words from another."""
    return canonical_hash([heading, text])[:16]


def answer(actor: Actor, *, comment_id: UUID, words: str, resolved: bool, now: datetime) -> DraftComment:
    """An author of the draft answers a comment, or marks it as dealt with; also after the time for comments."""
    actor.require(Permission.TEMPLATE_EDIT)
    with unit_of_work():
        found = consultations.get_comment(comment_id, lock=True)
        if not resolved and not words.strip():
            raise RuleBroken("Write an answer, or mark the comment as dealt with.", "answer")
        found.answer, found.resolved = words.strip()[:4000], resolved
        found.answered_by, found.answered_at = actor.person_id, now
        consultation = consultations.get_consultation(found.consultation_id)
        audit.record(
            actor,
            Action.COMMENT_ANSWERED,
            version_id=consultation.version_id,
            comment_id=found.id,
            clause_key=found.clause_key,
        )
    return found


def close(actor: Actor, *, version_id: UUID, now: datetime) -> None:
    """Close a draft's consultation before its day."""
    actor.require(Permission.TEMPLATE_EDIT)
    with unit_of_work():
        found = consultations.find_consultation(version_id, lock=True)
        if found is None or found.closed_at is not None:
            raise RuleBroken("This draft is not open for comment.")
        end(actor, found, now)


def end(actor: Actor, consultation: Consultation, now: datetime) -> None:
    """Close a consultation. Inside a unit of work."""
    consultation.closed_at = now
    audit.record(
        actor,
        Action.CONSULTATION_CLOSED,
        version_id=consultation.version_id,
        consultation_id=consultation.id,
    )
    current_unit().announce(Event.CONSULTATION_CLOSED, consultation_id=consultation.id)


def close_what_is_over(actor: Actor, *, now: datetime, today: date) -> int:
    """The clock closes consultations whose last day has passed. Returns how many."""
    with unit_of_work():
        over = consultations.consultations_to_close(today)
        for one in over:
            end(actor, one, now)
    return len(over)
