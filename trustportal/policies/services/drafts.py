"""Writing the trust's text: making a policy, opening a draft, and changing it clause by clause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete

from trustportal import audit
from trustportal.access import Actor, Permission
from trustportal.audit import Action
from trustportal.db import db, unit_of_work
from trustportal.errors import Conflict, RuleBroken
from trustportal.policies import queries, reading, texts
from trustportal.policies.domain import tree as trees
from trustportal.policies.domain.clauses import (
    Clause,
    Kind,
    Mode,
    NumberingStyle,
    Tree,
    canonical_hash,
    check_tree,
    fresh_key,
)
from trustportal.policies.domain.header import PolicyHeader
from trustportal.policies.domain.places import Where
from trustportal.policies.models import DraftClause, Policy, PolicyPlace, TemplateVersion
from trustportal.policies.reading import tree_of
from trustportal.policies.services import placing, writing
from trustportal.tenants import queries as tenants

#: What stands in the place of a policy's slug in addresses.
NOT_SLUGS = frozenset({"new", "own", "register"})


def create_policy(
    actor: Actor,
    *,
    header: PolicyHeader,
    numbering: NumberingStyle,
    tree: Tree = (),
    trust_is_a_place: bool = False,
    where: Where | None = None,
    school_id: UUID | None = None,
    source: str = "written here",
    now: datetime,
) -> TemplateVersion:
    """A new policy of the trust, with its first draft. Nobody else sees it until it is published.

    `where`: where it will apply once it is published; None: at all schools. `school_id`: a school writes it for itself
    alone; it has no template and applies nowhere else.
    """
    actor.require(Permission.TEMPLATE_EDIT if school_id is None else Permission.OWN_POLICY_EDIT, school_id)
    if not header.title.strip():
        raise RuleBroken("Give the policy a title.", "title")
    with unit_of_work():
        policy = Policy(
            id=uuid4(),
            slug=fresh_key(queries.policy_slugs() | NOT_SLUGS, _slug_words(header.title, school_id)),
            school_id=school_id,
            title=header.title.strip(),
            numbering=numbering.value,
            public=header.public,
            route=[],
            created_by=actor.person_id,
            created_at=now,
        )
        db.session.add(policy)
        db.session.flush()
        if trust_is_a_place:
            db.session.add(PolicyPlace(policy_id=policy.id, school_id=None))
        version = _draft(actor, policy, header, based_on=None, now=now)
        if where is not None and where != placing.where_of(policy, None):
            where.check(str(school.id) for school in tenants.list_schools())
            version.header = {**version.header, "where": where.to_json()}
        write_tree(version, tree, actor, now)
        audit.record(actor, Action.POLICY_CREATED, policy_id=policy.id)
        audit.record(actor, Action.DRAFT_CREATED, policy_id=policy.id, version_id=version.id, source=source)
    return version


def _slug_words(title: str, school_id: UUID | None) -> str:
    """A school's own policy has the school's name in its address: a school does not see which others are taken."""
    return title if school_id is None else f"{tenants.get_school(school_id).slug} {title}"


def start_draft(actor: Actor, *, policy_id: UUID, now: datetime) -> TemplateVersion:
    """Open the next version of a policy, beginning with the words of the newest published one."""
    writing.require_writer(actor, queries.get_policy_by_id(policy_id))
    with unit_of_work():
        policy = queries.get_policy_by_id(policy_id)
        if queries.find_open_version(policy_id) is not None:
            raise RuleBroken("A new version of this policy is being written already.")
        latest = queries.find_latest_version(policy_id)
        if latest is None or latest.tree is None:
            raise RuleBroken("This policy has no published version to begin with.")
        placing.refuse_withdrawn(policy)
        version = _draft(actor, policy, PolicyHeader.from_json(latest.header), based_on=latest.id, now=now)
        if latest.header.get("where"):
            version.header = {**version.header, "where": latest.header["where"]}
        write_tree(version, texts.thaw_tree(latest.tree), actor, now)
        audit.record(
            actor, Action.DRAFT_CREATED, policy_id=policy_id, version_id=version.id, source="next version"
        )
    return version


def _draft(
    actor: Actor, policy: Policy, header: PolicyHeader, *, based_on: UUID | None, now: datetime
) -> TemplateVersion:
    version = TemplateVersion(
        id=uuid4(),
        policy_id=policy.id,
        school_id=policy.school_id,
        based_on_id=based_on,
        state="draft",
        header={**header.to_json(), "numbering": policy.numbering},
        author_ids=[str(actor.person_id)] if actor.person_id else [],
        created_by=actor.person_id,
        created_at=now,
    )
    db.session.add(version)
    db.session.flush()
    return version


def get_open_draft(version_id: UUID) -> TemplateVersion:
    """The draft, locked for this transaction. Raises `RuleBroken` when it is no longer a draft."""
    version = queries.get_version(version_id, lock=True)
    if version.state != "draft":
        raise RuleBroken("This version is no longer a draft: take it back first, then change it.")
    return version


def write_tree(version: TemplateVersion, tree: Tree, actor: Actor, now: datetime) -> None:
    """Make a draft's rows say `tree`. Rows that say it already are left alone, so their row versions stand."""
    check_tree(tree)
    rows = {row.key: row for row in queries.draft_clauses(version.id)}
    keys = {clause.key for clause in tree}
    gone = [row.id for key, row in rows.items() if key not in keys]
    if gone:
        db.session.execute(delete(DraftClause).where(DraftClause.id.in_(gone)))
    for position, clause in enumerate(tree):
        row = rows.get(clause.key)
        if row is None:
            db.session.add(
                DraftClause(
                    version_id=version.id,
                    school_id=version.school_id,
                    key=clause.key,
                    parent_key=clause.parent,
                    position=position,
                    kind=clause.kind.value,
                    heading=clause.heading,
                    text=clause.text,
                    mode=clause.mode.value,
                    needs_agreement=clause.needs_agreement,
                    changed_by=actor.person_id,
                    changed_at=now,
                )
            )
            continue
        row.position, row.parent_key = position, clause.parent
        words = (clause.kind.value, clause.heading, clause.text, clause.mode.value, clause.needs_agreement)
        if (row.kind, row.heading, row.text, row.mode, row.needs_agreement) != words:
            row.kind, row.heading, row.text, row.mode, row.needs_agreement = words
            row.row_version += 1
            row.changed_by, row.changed_at = actor.person_id, now
    if actor.person_id and str(actor.person_id) not in version.author_ids:
        version.author_ids = [*version.author_ids, str(actor.person_id)]
    version.row_version += 1
    db.session.flush()


def change_clause(
    actor: Actor,
    *,
    version_id: UUID,
    key: str,
    row_version: int,
    heading: str,
    text: str,
    mode: Mode,
    needs_agreement: bool,
    kind: Kind,
    now: datetime,
) -> DraftClause:
    """Save one clause of a draft. Somebody else's save in between is a `Conflict` that shows both texts."""
    writing.require_writer_of(actor, version_id)
    with unit_of_work():
        version = get_open_draft(version_id)
        row = queries.get_draft_clause(version_id, key)
        if row.row_version != row_version:
            raise Conflict(
                "Somebody else changed this clause while you were writing."
                " Nothing of yours is lost: both texts are below.",
                theirs={"heading": row.heading, "text": row.text, "row_version": row.row_version},
                ours={"heading": heading, "text": text},
            )
        tree = trees.change(
            tree_of(queries.draft_clauses(version_id)),
            key,
            heading=heading.strip(),
            text=tidy(text),
            mode=mode,
            needs_agreement=needs_agreement,
            kind=kind,
        )
        write_tree(version, tree, actor, now)
        _record(actor, version, key, "words")
    return row


def insert_clause(
    actor: Actor,
    *,
    version_id: UUID,
    after: str | None,
    kind: Kind,
    heading: str,
    text: str,
    mode: Mode = Mode.LOCKED,
    inside: bool = False,
    now: datetime,
) -> str:
    """Add a clause after another (or, `inside`, as its last child; None: at the end). Returns its new key."""
    writing.require_writer_of(actor, version_id)
    if not (heading.strip() or text.strip()):
        raise RuleBroken("Write the words of the new clause.", "text")
    with unit_of_work():
        version = get_open_draft(version_id)
        tree = tree_of(queries.draft_clauses(version_id))
        parent, sibling = _place(tree, after, kind, inside=inside)
        used = {clause.key for clause in tree} | _keys_ever_used(version)
        key = fresh_key(used, heading or " ".join(text.split()[:6]))
        clause = Clause(key, parent, kind, heading.strip(), tidy(text), mode)
        write_tree(version, trees.insert(tree, clause, after=sibling), actor, now)
        _record(actor, version, key, "added")
    return key


def _place(tree: Tree, after: str | None, kind: Kind, *, inside: bool) -> tuple[str | None, str | None]:
    """Parent and sibling of a new clause of `kind` put after `after`."""
    top = [clause for clause in tree if clause.parent is None]
    if after is None:
        return None, top[-1].key if top else None
    anchor = next((clause for clause in tree if clause.key == after), None)
    if anchor is None:
        raise RuleBroken("The clause to add after is no longer in the draft.", "after")
    if kind in {Kind.SECTION, Kind.APPENDIX}:
        while anchor.parent is not None:
            anchor = next(clause for clause in tree if clause.key == anchor.parent)
        return None, anchor.key
    if inside or (anchor.kind in {Kind.SECTION, Kind.APPENDIX} and anchor.parent is None):
        below = [clause for clause in tree if clause.parent == anchor.key]
        return anchor.key, below[-1].key if below and inside else None
    return anchor.parent, anchor.key


def _keys_ever_used(version: TemplateVersion) -> set[str]:
    """Keys of the version that this one goes on from: a key is never given to another clause."""
    if version.based_on_id is None:
        return set()
    base = queries.get_version(version.based_on_id)
    return {one["key"] for one in base.tree or ()}


MOVES: Mapping[str, Any] = {
    "up": trees.move_up,
    "down": trees.move_down,
    "indent": trees.indent,
    "outdent": trees.outdent,
}


def move_clause(actor: Actor, *, version_id: UUID, key: str, direction: str, now: datetime) -> None:
    """Move a clause with all below it: up, down, indent (into the clause before it), outdent."""
    writing.require_writer_of(actor, version_id)
    if direction not in MOVES:
        raise RuleBroken("A clause moves up, down, in or out.", "direction")
    with unit_of_work():
        version = get_open_draft(version_id)
        tree = MOVES[direction](tree_of(queries.draft_clauses(version_id)), key)
        write_tree(version, tree, actor, now)
        _record(actor, version, key, f"moved {direction}")


def remove_clause(actor: Actor, *, version_id: UUID, key: str, now: datetime) -> None:
    """Take a clause out of a draft, with all below it. Earlier versions keep it."""
    writing.require_writer_of(actor, version_id)
    with unit_of_work():
        version = get_open_draft(version_id)
        write_tree(version, trees.remove(tree_of(queries.draft_clauses(version_id)), key), actor, now)
        _record(actor, version, key, "removed")


def replace_tree(actor: Actor, *, version_id: UUID, tree: Tree, now: datetime) -> None:
    """Make a draft say another tree, whole: for a text that was prepared elsewhere."""
    writing.require_writer_of(actor, version_id)
    with unit_of_work():
        version = get_open_draft(version_id)
        write_tree(version, tree, actor, now)
        audit.record(
            actor, Action.DRAFT_CHANGED, policy_id=version.policy_id, version_id=version.id, what="whole text"
        )


def set_modes(actor: Actor, *, version_id: UUID, keys: Sequence[str], mode: Mode, now: datetime) -> None:
    """Give several clauses of a draft one mode."""
    writing.require_writer_of(actor, version_id)
    with unit_of_work():
        version = get_open_draft(version_id)
        tree = tree_of(queries.draft_clauses(version_id))
        for key in keys:
            tree = trees.change(tree, key, mode=mode)
        write_tree(version, tree, actor, now)
        audit.record(
            actor,
            Action.DRAFT_CHANGED,
            policy_id=version.policy_id,
            version_id=version.id,
            what=f"mode {mode}",
        )


def header_mark(version: TemplateVersion) -> str:
    """What tells one state of a draft's header from another; clauses have row versions of their own."""
    return canonical_hash(version.header)[:16]


def change_header(
    actor: Actor,
    *,
    version_id: UUID,
    header_seen: str,
    header: PolicyHeader,
    numbering: NumberingStyle,
    where: Where | None = None,
    now: datetime,
) -> None:
    """Save the header of a draft. `header_seen` is `header_mark` of the header that was being changed.

    `where`: where it will apply from its publication on; None leaves it as it is.
    """
    writing.require_writer_of(actor, version_id)
    if not header.title.strip():
        raise RuleBroken("Give the policy a title.", "title")
    if not 1 <= header.review_months <= 60:
        raise RuleBroken("The review period must be between 1 and 60 months.", "review_months")
    with unit_of_work():
        version = get_open_draft(version_id)
        if header_mark(version) != header_seen:
            raise Conflict(
                "Somebody else changed this header while you were writing.",
                theirs=version.header,
                ours=header.to_json(),
            )
        policy = queries.get_policy_by_id(version.policy_id)
        said = version.header.get("where")
        if where is not None and where != placing.where_of(policy, version):
            where.check(str(school.id) for school in tenants.list_schools())
            said = where.to_json()
        version.header = {
            **header.to_json(),
            "numbering": numbering.value,
            **({"where": said} if said else {}),
        }
        version.row_version += 1
        if actor.person_id and str(actor.person_id) not in version.author_ids:
            version.author_ids = [*version.author_ids, str(actor.person_id)]
        if version.based_on_id is None:
            show_as(
                policy, version
            )  # nothing else of it can be seen yet; a later version's waits for its approval
        audit.record(actor, Action.DRAFT_CHANGED, policy_id=policy.id, version_id=version.id, what="header")


def show_as(policy: Policy, version: TemplateVersion) -> None:
    """Let the policy be called, numbered and public as a version says. Inside a unit of work."""
    header = PolicyHeader.from_json(version.header)
    policy.title, policy.public = header.title.strip(), header.public
    policy.numbering = reading.numbering_of(policy, version).value


def discard_draft(actor: Actor, *, version_id: UUID) -> None:
    """Give up a draft. Its runs and their comments stay in the record."""
    writing.require_writer_of(actor, version_id)
    with unit_of_work():
        version = get_open_draft(version_id)
        if version.based_on_id is None:
            raise RuleBroken("This is the policy's first draft. Change it instead.")
        db.session.execute(delete(DraftClause).where(DraftClause.version_id == version.id))
        version.state = "discarded"
        audit.record(
            actor, Action.DRAFT_CHANGED, policy_id=version.policy_id, version_id=version.id, what="discarded"
        )


def _record(actor: Actor, version: TemplateVersion, key: str, what: str) -> None:
    audit.record(
        actor,
        Action.DRAFT_CHANGED,
        policy_id=version.policy_id,
        version_id=version.id,
        clause_key=key,
        what=what,
    )


def tidy(text: str) -> str:
    """The same words with one kind of line end and no trailing blanks: so that nothing shows as changed that is not."""
    return "\n".join(
        line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    ).strip()
