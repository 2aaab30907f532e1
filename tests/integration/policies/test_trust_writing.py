"""The network manager writes, imports, submits and publishes; trustees vote; the clerk records a meeting."""

from __future__ import annotations

import re
from datetime import timedelta
from io import BytesIO

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from tests.integration.policies.given import TREE, Social, publish
from tests.world import Someone, World
from trustportal.access import Role
from trustportal.db import db
from trustportal.errors import Conflict, Forbidden, RuleBroken
from trustportal.policies import queries, reading
from trustportal.policies.domain.approval import MinuteOutcome, VoteChoice
from trustportal.policies.domain.changes import Mark
from trustportal.policies.domain.clauses import Kind, Mode, NumberingStyle, Weight
from trustportal.policies.domain.header import PolicyHeader
from trustportal.policies.models import Edition, TemplateVersion
from trustportal.policies.services import approvals, drafts, local, publishing
from trustportal.tenants import services as tenants
from trustportal.times import now, today

HEADER = PolicyHeader(
    title="Phones policy",
    person_responsible="Trust network manager",
    approving_body="Trust board",
    review_months=12,
)


@pytest.fixture
def social(at_ashgrove: Social) -> Social:
    """A policy in force at one school."""
    return at_ashgrove


@pytest.fixture
def trustees(world: World) -> list[Someone]:
    return [world.person(name, Role.TRUSTEE) for name in ("Tess Trustee", "Tom Trustee", "Tara Trustee")]


def draft(world: World) -> TemplateVersion:
    with world.acting(world.manager) as actor:
        return drafts.create_policy(
            actor, header=HEADER, numbering=NumberingStyle.DECIMAL, tree=TREE, now=now()
        )


def submit(world: World, version: TemplateVersion, marks: dict[str, Mark] | None = None) -> None:
    with world.acting(world.manager) as actor:
        approvals.submit_version(
            actor, version_id=version.id, reason="So that all schools agree.", marks=marks or {}, now=now()
        )


def run_of(version: TemplateVersion) -> tuple[object, str]:
    run = queries.find_pending_run(version_id=version.id)
    assert run is not None
    return run.id, run.content_hash


def vote(
    world: World, person: Someone, version: TemplateVersion, choice: VoteChoice = VoteChoice.APPROVE
) -> str:
    with world.acting(person) as actor:
        run_id, content_hash = run_of(version)
        state = approvals.decide(
            actor,
            run_id=run_id,  # type: ignore[arg-type]
            choice=choice,
            comment="Please say who decides." if choice is VoteChoice.CHANGES else "",
            content_hash=content_hash,
            now=now(),
            today=today(),
        )
    return state.outcome.value


def state_of(world: World, version: TemplateVersion) -> str:
    with world.looking():
        return queries.get_version(version.id).state


def test_two_of_three_trustees_approve_and_the_author_cannot(world: World, trustees: list[Someone]) -> None:
    version = draft(world)
    submit(world, version)
    with world.acting(world.manager) as actor:
        run_id, content_hash = run_of(version)
        with pytest.raises(RuleBroken, match="wrote or submitted"):
            approvals.decide(
                actor,
                run_id=run_id,  # type: ignore[arg-type]
                choice=VoteChoice.APPROVE,
                comment="",
                content_hash=content_hash,
                now=now(),
                today=today(),
            )
    assert vote(world, trustees[0], version) == "pending"
    with pytest.raises(RuleBroken, match="voted"):
        vote(world, trustees[0], version)
    assert vote(world, trustees[1], version) == "approved"
    assert state_of(world, version) == "approved"


def test_a_trustee_who_also_wrote_the_draft_is_not_asked(world: World, trustees: list[Someone]) -> None:
    both = world.person("Wanda Writer", Role.TRUSTEE, Role.NETWORK_MANAGER)
    version = draft(world)
    with world.acting(both) as actor:
        drafts.set_modes(actor, version_id=version.id, keys=["trips"], mode=Mode.LOCKED, now=now())
    submit(world, version)
    with pytest.raises(RuleBroken, match="wrote or submitted"):
        vote(world, both, version)


def test_a_vote_about_other_words_is_refused(world: World, trustees: list[Someone]) -> None:
    version = draft(world)
    submit(world, version)
    with world.acting(trustees[0]) as actor:
        run_id, _ = run_of(version)
        with pytest.raises(RuleBroken, match="changed after you opened it"):
            approvals.decide(
                actor,
                run_id=run_id,  # type: ignore[arg-type]
                choice=VoteChoice.APPROVE,
                comment="",
                content_hash="0" * 64,
                now=now(),
                today=today(),
            )


def test_a_conflict_of_interest_is_out_of_the_count(world: World, trustees: list[Someone]) -> None:
    version = draft(world)
    submit(world, version)
    assert vote(world, trustees[0], version, VoteChoice.RECUSE) == "pending"
    assert vote(world, trustees[1], version) == "pending"
    assert vote(world, trustees[2], version) == "approved"


def test_asking_for_changes_returns_the_draft_with_the_comments(
    world: World, trustees: list[Someone]
) -> None:
    version = draft(world)
    submit(world, version)
    assert vote(world, trustees[0], version, VoteChoice.CHANGES) == "pending"
    assert vote(world, trustees[1], version, VoteChoice.CHANGES) == "returned"
    assert state_of(world, version) == "draft"
    # What is sent again is judged anew: votes were about other words.
    submit(world, version)
    assert vote(world, trustees[0], version) == "pending"


def test_a_submitted_version_is_frozen_in_the_database(world: World, trustees: list[Someone]) -> None:
    version = draft(world)
    submit(world, version)
    with world.acting(world.manager) as actor, pytest.raises(RuleBroken, match="no longer a draft"):
        drafts.set_modes(actor, version_id=version.id, keys=["trips"], mode=Mode.LOCKED, now=now())
    with world.acting(world.manager):
        queries.get_version(version.id).content_hash = "f" * 64
        with pytest.raises(DatabaseError, match="never changes"):
            db.session.flush()


def test_withdrawing_makes_it_a_draft_again(world: World, trustees: list[Someone]) -> None:
    version = draft(world)
    submit(world, version)
    vote(world, trustees[0], version)
    with world.acting(world.manager) as actor:
        approvals.withdraw_version(actor, version_id=version.id, now=now())
    assert state_of(world, version) == "draft"


def test_it_cannot_be_sent_where_nobody_could_approve_it(world: World) -> None:
    world.person("Only Trustee", Role.TRUSTEE)
    version = draft(world)
    with pytest.raises(RuleBroken, match="too few of its members"):
        submit(world, version)
    assert state_of(world, version) == "draft"


def test_a_gap_or_an_unknown_slot_keeps_a_draft_from_being_sent(
    world: World, trustees: list[Someone]
) -> None:
    version = draft(world)
    for words, said in (
        ("See [[nowhere]].", "does not exist"),
        ("Ask {{supplier.unknown}}.", "placeholders"),
    ):
        with world.acting(world.manager) as actor:
            key = drafts.insert_clause(
                actor,
                version_id=version.id,
                after="trips",
                kind=Kind.CLAUSE,
                heading="",
                text=words,
                now=now(),
            )
        with pytest.raises(RuleBroken, match=said):
            submit(world, version)
        with world.acting(world.manager) as actor:
            drafts.remove_clause(actor, version_id=version.id, key=key, now=now())


def test_the_clerk_records_what_the_board_decided(world: World, trustees: list[Someone]) -> None:
    clerk = world.person("Clara Clerk", Role.CLERK)
    version = draft(world)
    submit(world, version)

    def record(*, quorum_met: bool, reference: str = "TB 2026/3, minute 7") -> None:
        with world.acting(clerk) as actor:
            run_id, content_hash = run_of(version)
            approvals.minute(
                actor,
                run_id=run_id,  # type: ignore[arg-type]
                body="Trust board",
                met_on=today() - timedelta(days=1),
                minute_reference=reference,
                quorum_met=quorum_met,
                outcome=MinuteOutcome.APPROVED,
                comment="",
                content_hash=content_hash,
                now=now(),
                today=today(),
            )

    with pytest.raises(RuleBroken, match="quorum"):
        record(quorum_met=False)
    with pytest.raises(RuleBroken, match="reference"):
        record(quorum_met=True, reference=" ")
    record(quorum_met=True)
    assert state_of(world, version) == "approved"
    with world.looking():
        printed = approvals.printed_approvals(queries.list_runs(version_id=version.id)[0])
    assert printed[0]["minute"] == "TB 2026/3, minute 7"
    with world.acting(trustees[0]) as actor, pytest.raises(Forbidden):
        approvals.minute(
            actor,
            run_id=printed and queries.list_runs(version_id=version.id)[0].id,
            body="Trust board",
            met_on=today(),
            minute_reference="x",
            quorum_met=True,
            outcome=MinuteOutcome.APPROVED,
            comment="",
            content_hash="",
            now=now(),
            today=today(),
        )


def test_two_editors_never_overwrite_each_other(world: World) -> None:
    version = draft(world)

    def save(text_: str, row_version: int) -> None:
        with world.acting(world.manager) as actor:
            drafts.change_clause(
                actor,
                version_id=version.id,
                key="trips",
                row_version=row_version,
                heading="",
                text=text_,
                mode=Mode.EXTEND,
                needs_agreement=False,
                kind=Kind.CLAUSE,
                now=now(),
            )

    save("The first editor's words.", 1)
    with pytest.raises(Conflict) as both:
        save("The second editor's words.", 1)
    assert both.value.theirs["text"] == "The first editor's words."
    assert both.value.ours["text"] == "The second editor's words."


def test_the_page_shows_both_texts_and_keeps_what_was_typed(world: World, client_for) -> None:  # type: ignore[no-untyped-def]
    version = draft(world)
    client = client_for(world.manager)
    address = world.url("policies/phones-policy/draft/clauses/trips")
    page = client.get(address)
    assert page.status_code == 200
    form = {"heading": "", "kind": "clause", "mode": "extend", "row_version": "1"}
    assert client.post(address, data={**form, "text": "First."}).status_code == 303
    clash = client.post(address, data={**form, "text": "Second, typed at length."})
    assert clash.status_code == 409
    shown = clash.get_data(as_text=True)
    assert "First." in shown
    assert "Second, typed at length." in shown
    kept = re.search(r'name="row_version"[^>]*value="(\d+)"', shown)
    assert kept is not None
    again = client.post(address, data={**form, "text": "Both, in one.", "row_version": kept.group(1)})
    assert again.status_code == 303
    with world.looking():
        assert queries.get_draft_clause(version.id, "trips").text == "Both, in one."


def test_every_changed_clause_needs_its_mark(social: Social) -> None:
    world = social.world
    with world.acting(world.manager) as actor:
        version = drafts.start_draft(actor, policy_id=social.policy_id, now=now())
        row = queries.get_draft_clause(version.id, "trips")
        drafts.change_clause(
            actor,
            version_id=version.id,
            key="trips",
            row_version=row.row_version,
            heading="",
            text="Photographs wait until the children are home.",
            mode=Mode.EXTEND,
            needs_agreement=False,
            kind=Kind.CLAUSE,
            now=now(),
        )
    with pytest.raises(RuleBroken, match="editorial or material"):
        submit(world, version)
    submit(world, version, {"trips": Mark(Weight.EDITORIAL, "Plainer.")})


def test_nothing_to_send_when_nothing_changed(social: Social) -> None:
    with social.world.acting(social.world.manager) as actor:
        version = drafts.start_draft(actor, policy_id=social.policy_id, now=now())
    with pytest.raises(RuleBroken, match="Nothing differs"):
        submit(social.world, version)


def test_a_version_takes_effect_on_its_day_and_not_before(social: Social) -> None:
    coming = today() + timedelta(days=20)
    social.next_version({"trips": "Photographs wait until everybody is home."}, effective_on=coming)
    with social.world.looking():
        now_in_force = queries.find_edition_in_force(social.policy_id, social.school.id, today())
        then = queries.find_edition_in_force(social.policy_id, social.school.id, coming)
        assert now_in_force is not None
        assert then is not None
        assert reading.edition_label(now_in_force) == "1.1"
        assert reading.edition_label(then) == "2.1"
        assert then.in_force_announced_at is None
        assert publishing.announce_in_force(now=now(), today=coming) >= 1


def test_publishing_for_a_day_that_has_passed_is_refused(world: World, trustees: list[Someone]) -> None:
    version = draft(world)
    submit(world, version)
    vote(world, trustees[0], version)
    vote(world, trustees[1], version)
    with world.acting(world.manager) as actor, pytest.raises(RuleBroken, match="has passed"):
        publishing.publish_version(
            actor, version_id=version.id, effective_on=today() - timedelta(days=1), now=now(), today=today()
        )
    with world.acting(trustees[0]) as actor, pytest.raises(Forbidden):
        publishing.publish_version(
            actor, version_id=version.id, effective_on=today(), now=now(), today=today()
        )


def test_a_school_without_a_value_gets_its_edition_when_it_is_filled_in(
    world: World, trustees: list[Someone]
) -> None:
    school = world.school("Fen Road")
    with world.acting(world.manager) as actor:
        tenants.define_placeholders(
            actor, definitions=[{"name": "supplier.consent_records", "label": "Consent"}]
        )
    version = draft(world)
    with world.acting(world.manager) as actor:
        drafts.insert_clause(
            actor,
            version_id=version.id,
            after="trips",
            kind=Kind.CLAUSE,
            heading="",
            text="Consent is checked in {{supplier.consent_records}}.",
            now=now(),
        )
    submit(world, version)
    vote(world, trustees[0], version)
    vote(world, trustees[1], version)
    with world.acting(world.manager) as actor:
        published = publishing.publish_version(
            actor, version_id=version.id, effective_on=today(), now=now(), today=today()
        )
    world.run_jobs()
    with world.looking():
        assert queries.find_latest_edition(published.policy_id, school.id) is None
        assert queries.get_standing(published.policy_id, school.id).missing == ["supplier.consent_records"]
    with world.acting(world.manager) as actor:
        tenants.fill_placeholders(
            actor, school_id=school.id, values={"supplier.consent_records": "HomeLink"}, now=now()
        )
    world.run_jobs()
    with world.looking():
        edition = queries.find_latest_edition(published.policy_id, school.id)
        assert edition is not None
        assert reading.edition_label(edition) == "1.1"
        assert any("HomeLink" in clause.text for clause in reading.clauses_of(edition))


def test_a_new_school_adopts_what_is_in_force(social: Social) -> None:
    late = social.world.school("Oakhurst")
    social.world.run_jobs()
    with social.world.looking():
        edition = queries.find_edition_in_force(social.policy_id, late.id, today())
        assert edition is not None
        assert reading.edition_label(edition) == "1.1"


def test_an_unsubmitted_change_is_carried_but_never_approved_by_the_trust(social: Social) -> None:
    social.answer("administrators", "Every account has two administrators; one is always in the office.")
    social.next_version({"trips": "Photographs wait until everybody is home."})
    with social.world.looking():
        edition = queries.find_latest_edition(social.policy_id, social.school.id)
        assert edition is not None
        assert edition.major == 2
        assert not any("always in the office" in clause.text for clause in reading.clauses_of(edition))
        assert [row.clause_key for row in queries.list_overrides(social.policy_id, social.school.id)] == [
            "administrators"
        ]


def test_a_submission_that_waits_when_the_trust_publishes_goes_back_to_the_head(social: Social) -> None:
    social.answer("administrators", "Every account has two administrators; one is always in the office.")
    with social.world.acting(social.head) as actor:
        local.submit_edition(
            actor, policy_id=social.policy_id, school_id=social.school.id, reason="Our way.", now=now()
        )
    social.next_version({"trips": "Photographs wait until everybody is home."})
    with social.world.looking():
        assert queries.find_submitted_edition(social.policy_id, social.school.id) is None
        assert queries.list_overrides(social.policy_id, social.school.id)


def test_an_approved_edition_cannot_be_changed_or_removed(social: Social) -> None:
    with social.world.looking():
        edition = queries.find_latest_edition(social.policy_id, social.school.id)
        assert edition is not None
        edition_id = edition.id
    for change in (
        "UPDATE edition SET content_hash = 'x'",
        "UPDATE edition SET minor = 9",
        "DELETE FROM edition",
    ):
        with social.world.looking(), pytest.raises(DatabaseError):
            db.session.execute(
                text(f"{change} WHERE id = :id"),
                {"id": edition_id},
                execution_options={"unscoped_because": "a test of what the database itself refuses"},
            )


def test_editions_share_the_words_of_their_template(social: Social) -> None:
    with social.world.looking():
        before = len(db.session.scalars(select(Edition.id)).all())
        words = {one["words"] for edition in db.session.scalars(select(Edition)) for one in edition.tree}
    social.world.school("Tidewell")
    social.world.run_jobs()
    with social.world.looking():
        after = {one["words"] for edition in db.session.scalars(select(Edition)) for one in edition.tree}
        assert len(db.session.scalars(select(Edition.id)).all()) == before + 1
    # Only the clauses that print the school's own name or post are new words.
    assert len(after - words) <= 2


def test_importing_keeps_the_file_until_it_is_saved_as_a_draft(world: World, client_for) -> None:  # type: ignore[no-untyped-def]
    client = client_for(world.manager)
    source = (
        "# Phones\n\n## 1. Why\n\n- a. Phones stay in bags.\n- b. Teachers may ask for one.\n\n"
        "## 2. Who\n\n- a. Everybody.\n"
    )
    sent = client.post(
        world.url("imports/new"),
        data={"csrf_token": client.csrf, "file": (BytesIO(source.encode()), "phones.txt")},
        content_type="multipart/form-data",
    )
    assert sent.status_code == 303, sent.get_data(as_text=True)[:500]
    page = client.get(sent.location)
    assert page.status_code == 200
    assert "Phones stay in bags." in page.get_data(as_text=True)
    with world.looking():
        assert queries.list_policies() == []
    saved = client.post(
        f"{sent.location}/save",
        data={
            "title": "Phones",
            "person_responsible": "Trust network manager",
            "approving_body": "Trust board",
            "review_months": "12",
            "numbering": "letters",
            "public": "y",
        },
    )
    assert saved.status_code == 303
    draft_page = client.get(saved.location).get_data(as_text=True)
    assert "Phones stay in bags." in draft_page
    assert "first version" in draft_page


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"\x00\x01\x02", "text"), (b"", "empty"), (b"%PDF-1.7 \x00\xff", "text")],
    ids=["binary", "empty", "pdf"],
)
def test_a_file_that_cannot_be_read_is_refused_with_words(
    world: World, client_for, content: bytes, said: str
) -> None:  # type: ignore[no-untyped-def]
    client = client_for(world.manager)
    client.get(world.url("imports/new"))
    sent = client.post(
        world.url("imports/new"),
        data={"csrf_token": client.csrf, "file": (BytesIO(content), "phones.txt")},
        content_type="multipart/form-data",
    )
    assert sent.status_code == 422
    assert said in sent.get_data(as_text=True).lower()


def test_somebody_elses_import_is_not_found(world: World, client_for) -> None:  # type: ignore[no-untyped-def]
    other = world.person("Other Manager", Role.NETWORK_MANAGER)
    client = client_for(world.manager)
    client.get(world.url("imports/new"))
    sent = client.post(
        world.url("imports/new"),
        data={"csrf_token": client.csrf, "file": (BytesIO(b"# A\n\nWords here.\n"), "a.txt")},
        content_type="multipart/form-data",
    )
    assert client_for(other).get(sent.location).status_code == 404


def test_the_vote_page_shows_the_change_and_takes_the_vote(social: Social, client_for) -> None:  # type: ignore[no-untyped-def]
    world = social.world
    with world.acting(world.manager) as actor:
        version = drafts.start_draft(actor, policy_id=social.policy_id, now=now())
        row = queries.get_draft_clause(version.id, "trips")
        drafts.change_clause(
            actor,
            version_id=version.id,
            key="trips",
            row_version=row.row_version,
            heading="",
            text="Photographs follow [[approval]] and wait a day.",
            mode=Mode.EXTEND,
            needs_agreement=False,
            kind=Kind.CLAUSE,
            now=now(),
        )
    submit(world, version, {"trips": Mark(Weight.MATERIAL, "A parent asked.")})
    with world.looking():
        run_id, content_hash = run_of(version)
    address = world.url(f"approvals/{run_id}")
    client = client_for(social.trustees[0])
    home = client.get(world.url()).get_data(as_text=True)
    assert f"/approvals/{run_id}" in home
    shown = client.get(address).get_data(as_text=True)
    assert "A parent asked." in shown
    assert "and wait a day" in shown
    assert "{{" not in shown
    assert (
        client.post(
            address, data={"choice": "changes", "content_hash": content_hash, "comment": ""}
        ).status_code
        == 422
    )
    assert client.post(address, data={"choice": "approve", "content_hash": content_hash}).status_code == 303
    assert "You approved this" in client.get(address).get_data(as_text=True)
    author = client_for(world.manager)
    page = author.get(address).get_data(as_text=True)
    assert "you do not vote" in page
    assert 'value="approve"' not in page
    refused = author.post(address, data={"choice": "approve", "content_hash": content_hash})
    assert refused.status_code == 422
    outsider = client_for(world.person("Sam Staff", (Role.STAFF, social.school)))
    assert outsider.get(address).status_code in {403, 404}


def test_a_school_that_has_left_can_be_read_but_no_longer_changed(social: Social) -> None:
    world = social.world
    with world.acting(world.manager) as actor:
        tenants.change_school(
            actor,
            school_id=social.school.id,
            name=social.school.name,
            short_name=social.school.short_name,
            closes_on=today(),
        )
    with pytest.raises(RuleBroken, match="has left the trust"):
        social.answer("administrators", "Other words.")
    with world.looking():
        assert queries.find_edition_in_force(social.policy_id, social.school.id, today()) is not None


def test_the_central_teams_edition_follows_a_changed_value(world: World, client_for) -> None:  # type: ignore[no-untyped-def]
    people = (world.person("Una Trustee", Role.TRUSTEE), world.person("Vera Trustee", Role.TRUSTEE))
    with world.acting(world.manager) as actor:
        version = drafts.create_policy(
            actor,
            header=HEADER,
            numbering=NumberingStyle.DECIMAL,
            tree=TREE,
            trust_is_a_place=True,
            now=now(),
        )
    publish(world, people, version.id, {})
    client = client_for(world.manager)
    named = client.post(world.url("settings/central-role-names"), data={"headteacher": "Chief executive"})
    assert named.status_code == 303
    world.run_jobs()
    address = world.url("policies/phones-policy")
    assert "Release the changed values" in client.get(address).get_data(as_text=True)
    assert client.post(f"{address}/release").status_code == 303
    with world.looking():
        edition = queries.find_latest_edition(version.policy_id, None)
        assert edition is not None
        assert reading.edition_label(edition) == "1.2"
        assert not edition.material
        assert any("the Chief executive approves" in clause.text for clause in reading.clauses_of(edition))
