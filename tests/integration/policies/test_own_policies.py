"""A school's own policy: written by its head, approved as delegated, numbered 1, 2, 3, and nobody else's business."""

from __future__ import annotations

from io import BytesIO

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, ProgrammingError

from tests.integration.policies.given import run_quick_jobs
from tests.unit.importing.word_files import p, word
from trustportal.access import Role
from trustportal.db import db
from trustportal.errors import Forbidden, RuleBroken
from trustportal.policies import queries, reading
from trustportal.policies.domain.approval import VoteChoice
from trustportal.policies.services import approvals, drafts
from trustportal.times import now, today

CLUBS = word(
    p("Clubs policy", style="Title")
    + p("Clubs", style="Heading1")
    + p("Clubs end at five.")
    + p("A first-aider stays until the last child is fetched.")
)
HEADER = {
    "title": "Clubs policy",
    "person_responsible": "Headteacher",
    "approving_body": "Governors",
    "review_months": "12",
    "numbering": "decimal",
    "public": "y",
}


def from_today() -> dict[str, list[str]]:
    """What the page sends to publish from today on, asked for when it is sent: midnight may pass while tests run."""
    day = today()
    return {"effective_on": [str(day.day), str(day.month), str(day.year)]}


def approve(on, run_id, person=None):
    with on.world.acting(person or on.chair) as actor:
        run = queries.get_run(run_id)
        return approvals.decide(
            actor,
            run_id=run.id,
            choice=VoteChoice.APPROVE,
            comment="",
            content_hash=run.content_hash,
            now=now(),
            today=today(),
        ).outcome.value


def pending(on, slug):
    with on.world.looking():
        version = queries.find_open_version(queries.get_policy(slug).id)
        assert version is not None
        run = queries.find_pending_run(version_id=version.id)
        assert run is not None
        return run.id


def write(on, client):
    """The head's first edition, from the empty form to publishing."""
    world, school = on.world, on.school
    made = client.post(world.url(f"schools/{school.slug}/policies/own/new"), data=HEADER)
    assert made.status_code == 303, made.text
    slug = made.location.split("/policies/")[1].split("/")[0]
    draft = world.url(f"policies/{slug}/draft")
    for kind, heading, text in (
        ("section", "Clubs", ""),
        ("clause", "", "Clubs of {{school.name}} end at five."),
    ):
        added = client.post(
            f"{draft}/add",
            data={"kind": kind, "mode": "locked", "heading": heading, "text": text, "after": ""},
        )
        assert added.status_code == 303, added.text
    assert "Chair of governors" in client.get(f"{draft}/submit").text
    assert client.post(f"{draft}/submit", data={"reason": "Clubs begin in May."}).status_code == 303
    return slug


def test_a_head_writes_the_chair_approves_and_it_is_number_one(at_ashgrove, client_for, client):
    on, world = at_ashgrove, at_ashgrove.world
    head = client_for(on.head)
    assert "Write a policy of our own" in head.get(world.url(f"schools/{on.school.slug}/policies")).text
    slug = write(on, head)
    run_id = pending(on, slug)
    with pytest.raises((RuleBroken, Forbidden)):
        approve(on, run_id, on.head)
    chair = client_for(on.chair)
    assert "It holds at Ashgrove Primary School only." in chair.get(world.url(f"approvals/{run_id}")).text
    assert approve(on, run_id) == "approved"
    assert "Publish the new version of the clubs policy" in head.get(world.url()).text
    published = head.post(world.url(f"policies/{slug}/publish"), data=from_today())
    assert published.status_code == 303, published.text
    run_quick_jobs(world)

    page = client_for(on.teacher).get(world.url(f"schools/{on.school.slug}/policies/{slug}"))
    assert "Edition 1 since" in page.text
    assert "Our own policy" in page.text
    assert "Clubs of" in page.text
    public = client.get(f"/p/{world.slug}/{on.school.slug}/policies/{slug}")
    assert "end at five" in public.text

    assert (
        "Begin the next edition" in head.get(world.url(f"schools/{on.school.slug}/policies/own/{slug}")).text
    )
    assert head.post(world.url(f"policies/{slug}/draft")).status_code == 303
    with world.looking():
        version = queries.find_open_version(queries.get_policy(slug).id)
        row = next(one for one in queries.draft_clauses(version.id) if one.text)
        key, seen, version_id = row.key, row.row_version, version.id
    sent = {
        "heading": "",
        "text": "Clubs end at six.",
        "kind": "clause",
        "mode": "locked",
        "row_version": str(seen),
    }
    assert head.post(world.url(f"policies/{slug}/draft/clauses/{key}"), data=sent).status_code == 303
    marks = {"reason": "Later.", f"weight-{key}": "material", f"reason-{key}": "Later."}
    assert head.post(world.url(f"policies/{slug}/draft/submit"), data=marks).status_code == 303
    assert approve(on, pending(on, slug)) == "approved"
    assert head.post(world.url(f"policies/{slug}/publish"), data=from_today()).status_code == 303
    run_quick_jobs(world)
    with world.looking():
        edition = queries.find_edition_in_force(queries.get_policy(slug).id, on.school.id, today())
        assert edition is not None
        assert reading.edition_label(edition) == "2"
        assert queries.get_version(version_id).number == 2


def test_nobody_elses_head_sees_or_writes_it(at_ashgrove, client_for):
    on, world = at_ashgrove, at_ashgrove.world
    hazel = world.school("Hazel Lodge")
    other = world.person("Olga Other", (Role.HEADTEACHER, hazel))
    slug = write(on, client_for(on.head))
    stranger = client_for(other)
    for path in ("", "/draft", "/draft/header"):
        assert stranger.get(world.url(f"policies/{slug}{path}")).status_code == 404
    assert stranger.get(world.url(f"schools/{on.school.slug}/policies/own/{slug}")).status_code == 404
    run_quick_jobs(world)
    with world.looking():
        assert queries.find_standing(queries.get_policy(slug).id, hazel.id) is None


def test_a_head_does_not_write_the_trusts_policies(at_ashgrove, client_for):
    on = at_ashgrove
    head = client_for(on.head)
    for path in ("draft", "draft/header", "publish"):
        assert head.get(on.world.url(f"policies/{on.slug}/{path}")).status_code == 403
    with on.world.acting(on.head) as actor, pytest.raises(Forbidden):
        drafts.start_draft(actor, policy_id=on.policy_id, now=now())
    deputy = on.world.person("Dee Deputy", (Role.DEPUTY_HEADTEACHER, on.school))
    assert (
        client_for(deputy).get(on.world.url(f"schools/{on.school.slug}/policies/own/new")).status_code == 403
    )


def test_the_register_shows_the_three_tiers(at_ashgrove, client_for):
    from openpyxl import load_workbook

    on, world = at_ashgrove, at_ashgrove.world
    slug = write(on, client_for(on.head))
    assert approve(on, pending(on, slug)) == "approved"
    client_for(on.head).post(world.url(f"policies/{slug}/publish"), data=from_today())
    run_quick_jobs(world)
    manager = client_for(world.manager)
    page = manager.get(world.url("policies/register")).text
    assert "School policy" in page
    assert "Trust template with local clauses" in page
    assert "Nora Network" in page
    only = manager.get(world.url("policies/register?show=school")).text
    assert "Clubs policy" in only
    assert "Social media policy" not in only
    assert manager.get(world.url("policies/register?show=nonsense")).status_code == 404
    book = load_workbook(BytesIO(manager.get(world.url("policies/register.xlsx")).data))
    rows = {row[0]: row for row in book["Policies"].iter_rows(min_row=2, values_only=True)}
    assert rows["Clubs policy"][2:4] == ("School policy", "Ashgrove Primary School")
    assert rows["Social media policy"][4] == "Trust network manager"
    where = list(book["Where in force"].iter_rows(min_row=2, values_only=True))
    assert where[0][:3] == ("Clubs policy", "Ashgrove Primary School", "1")
    # Another school's own policy is not in the register of this one's people.
    hazel = world.school("Hazel Lodge")
    other = world.person("Olga Other", (Role.HEADTEACHER, hazel))
    assert "Clubs policy" not in client_for(other).get(world.url("policies/register")).text


def test_a_draft_of_its_own_is_out_of_reach_of_other_schools_in_the_database_too(at_ashgrove, client_for):
    on, world = at_ashgrove, at_ashgrove.world
    slug = write(on, client_for(on.head))
    beech = world.school("Beech")
    outside = world.person("Bea Beech", (Role.HEADTEACHER, beech))
    with world.looking():
        own = queries.get_policy(slug)
        version = queries.find_open_version(own.id)
        assert version is not None
        clauses = len(queries.draft_clauses(version.id))
        assert clauses == 2
        policy_id, version_id, seen_by = own.id, version.id, {}

    def rows(table: str) -> int:
        """As the web's role sees it, with no scope of ours added to the statement."""
        return db.session.execute(
            sa.text(f"SELECT count(*) FROM {table} WHERE school_id IS NOT NULL"),
            execution_options={"unscoped_because": "row-level security alone is asked"},
        ).scalar_one()

    for person in (on.head, on.chair, world.manager, outside):
        with world.acting(person):
            seen_by[person] = (rows("template_version"), rows("draft_clause"))
    assert seen_by == {
        on.head: (1, clauses),
        on.chair: (1, clauses),
        world.manager: (1, clauses),
        outside: (0, 0),
    }
    # What is the trust's is everybody's to see, and no row may pass for another place's than its policy's.
    with world.acting(outside):
        assert queries.find_latest_version(on.policy_id) is not None
    for table, row_id in (("template_version", version_id), ("draft_clause", None)):
        with world.acting(on.head), pytest.raises(IntegrityError, match="belongs to the place"):
            db.session.execute(
                sa.text(f"UPDATE {table} SET school_id = NULL" + (" WHERE id = :id" if row_id else "")),
                {"id": row_id} if row_id else {},
                execution_options={"unscoped_because": "row-level security alone is asked"},
            )
    with world.acting(outside), pytest.raises((IntegrityError, ProgrammingError)):
        db.session.execute(
            sa.text(
                "INSERT INTO template_version (id, trust_id, policy_id, state, header, marks, reason, author_ids,"
                " created_at, row_version) SELECT gen_random_uuid(), :trust, :policy, 'draft', '{}', '{}', '', '[]',"
                " now(), 1"
            ),
            {"trust": world.trust_id, "policy": policy_id},
            execution_options={"unscoped_because": "row-level security alone is asked"},
        )


def test_a_head_imports_a_policy_of_the_schools_own(at_ashgrove, client_for):
    on, world = at_ashgrove, at_ashgrove.world
    root = world.url(f"schools/{on.school.slug}/policies")
    head = client_for(on.head)
    assert f"{root}/own/import" in head.get(root).text
    head.get(f"{root}/own/import")
    file = {"csrf_token": head.csrf, "file": (BytesIO(b"%PDF-1.7 nothing"), "clubs.pdf")}
    refused = head.post(f"{root}/own/import", data=file, content_type="multipart/form-data")
    assert refused.status_code == 422
    file = {"csrf_token": head.csrf, "file": (BytesIO(CLUBS), "clubs.docx")}
    sent = head.post(f"{root}/own/import", data=file, content_type="multipart/form-data")
    assert sent.status_code == 303, sent.text
    assert "Clubs end at five." in head.get(sent.location).text
    fixed = {"action": "edit", "index": "1", "row_version": "1", "text": "Clubs end at half past five."}
    assert head.post(f"{sent.location}/correct", data=fixed).status_code == 303
    with world.looking():
        policies = len(queries.list_policies())
    form = head.get(f"{sent.location}/save").text
    assert 'value="Clubs policy"' in form
    assert head.post(f"{sent.location}/save", data={**HEADER, "title": " "}).status_code == 422
    saved = head.post(f"{sent.location}/save", data=HEADER)
    assert saved.status_code == 303, saved.text
    assert "half past five" in head.get(saved.location).text
    # It was used once; another draft of it needs the file again.
    assert head.post(f"{sent.location}/save", data=HEADER).status_code == 422
    with world.looking():
        assert len(queries.list_policies()) == policies + 1
        own = next(one for one in queries.list_policies() if one.school_id == on.school.id)
        version = queries.find_open_version(own.id)
        assert version is not None
        assert [row.text for row in queries.draft_clauses(version.id) if row.text] == [
            "Clubs end at half past five.",
            "A first-aider stays until the last child is fetched.",
        ]
    # It goes on like one that was written here, and is nobody else's.
    draft = world.url(f"policies/{own.slug}/draft")
    assert head.post(f"{draft}/submit", data={"reason": "We had it in a file."}).status_code == 303
    assert approve(on, pending(on, own.slug)) == "approved"
    reading_id = sent.location.rsplit("/", 1)[1]
    assert client_for(on.teacher).get(f"{root}/own/import").status_code == 403
    assert client_for(world.manager).get(f"{root}/own/import/{reading_id}").status_code == 403
    deputy_head = world.person("Ida Interim", (Role.HEADTEACHER, on.school))
    assert client_for(deputy_head).get(f"{root}/own/import/{reading_id}").status_code == 404
