"""What lint finds stands beside the clause, keeps errors from being sent, and asks for warnings to be acknowledged."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from io import BytesIO

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from tests.integration.policies.given import TREE, Social, run_quick_jobs, social
from tests.world import World
from trustportal.access import Role
from trustportal.db import db, unit_of_work
from trustportal.errors import Forbidden, RuleBroken
from trustportal.kernel_models import AuditEvent, Notice
from trustportal.policies import linting, queries
from trustportal.policies.domain.clauses import Clause, Kind, Mode, NumberingStyle, Tree
from trustportal.policies.domain.header import PolicyHeader
from trustportal.policies.domain.lint.model import Finding, Severity
from trustportal.policies.lint_models import GuidanceReview, LintAnswer
from trustportal.policies.models import TemplateVersion
from trustportal.policies.services import approvals, drafts, lint, local
from trustportal.times import now, today

HEADER = PolicyHeader(
    "Kite policy", person_responsible="Trust network manager", approving_body="Trust board", review_months=12
)
REPEALED = "Records follow the Data Protection Act 1998."
DOUBTFUL = "Ask your line manger first."


def tree(*texts: str) -> Tree:
    """A section with these texts as its clauses: "c-1", "c-2", …"""
    return (
        Clause("kites", None, Kind.SECTION, "Kites"),
        *(Clause(f"c-{at}", "kites", Kind.CLAUSE, "", words) for at, words in enumerate(texts, 1)),
    )


def draft(world: World, *texts: str, header: PolicyHeader = HEADER) -> TemplateVersion:
    with world.acting(world.manager) as actor:
        return drafts.create_policy(
            actor, header=header, numbering=NumberingStyle.DECIMAL, tree=tree(*texts), now=now()
        )


def submit(world: World, version: TemplateVersion, answers: dict[str, str] | None = None) -> None:
    with world.acting(world.manager) as actor:
        approvals.submit_version(
            actor, version_id=version.id, reason="It is time.", marks={}, now=now(), answers=answers
        )


def findings(world: World, version: TemplateVersion) -> list[Finding]:
    with world.looking():
        row = queries.get_version(version.id)
        return list(linting.report_of_version(queries.get_policy_by_id(row.policy_id), row, today()).findings)


def change(world: World, version: TemplateVersion, key: str, words: str) -> None:
    with world.acting(world.manager) as actor:
        row = queries.get_draft_clause(version.id, key)
        drafts.change_clause(
            actor,
            version_id=version.id,
            key=key,
            row_version=row.row_version,
            heading="",
            text=words,
            mode=Mode.LOCKED,
            needs_agreement=False,
            kind=Kind.CLAUSE,
            now=now(),
        )


def answers_kept(world: World) -> list[LintAnswer]:
    with world.looking():
        return list(db.session.scalars(select(LintAnswer).order_by(LintAnswer.answered_at)))


@pytest.fixture
def trustees(world: World) -> tuple:
    return world.person("Una Trustee", Role.TRUSTEE), world.person("Vera Trustee", Role.TRUSTEE)


def test_an_error_keeps_a_draft_from_being_sent_until_it_is_put_right(world: World, trustees: tuple) -> None:
    version = draft(world, "Kites fly.", REPEALED)
    with pytest.raises(RuleBroken, match=r"put 1 error right first\. 1\.2: .*repealed on 25 May 2018"):
        submit(world, version)
    (error,) = findings(world, version)
    with pytest.raises(RuleBroken, match="cannot be let stand"):
        submit(world, version, {error.mark: "We have always written it so."})
    assert answers_kept(world) == []
    change(world, version, "c-2", "Records follow the Data Protection Act 2018 and UK GDPR.")
    submit(world, version)


def test_a_warning_is_acknowledged_with_name_and_time_and_other_words_ask_again(
    world: World, trustees: tuple
) -> None:
    version = draft(world, DOUBTFUL)
    with pytest.raises(RuleBroken, match="Look at 1 warning first"):
        submit(world, version)
    (warning,) = findings(world, version)
    submit(world, version, {warning.mark: ""})
    (kept,) = answers_kept(world)
    assert (kept.person_id, kept.person_name) == (world.manager.id, world.manager.name)
    assert (kept.rule, kept.severity, kept.clause_key, kept.clause_label) == ("L30", "warning", "c-1", "1.1")
    assert abs(kept.answered_at - now()) < timedelta(minutes=5)
    with world.looking():
        recorded = db.session.scalars(select(AuditEvent.action)).all()
    assert recorded.count("finding.answered") == 1

    with world.acting(world.manager) as actor:
        approvals.withdraw_version(actor, version_id=version.id, now=now())
    submit(world, version)  # the same words: it was acknowledged
    with world.acting(world.manager) as actor:
        approvals.withdraw_version(actor, version_id=version.id, now=now())
    change(world, version, "c-1", "First, ask your line manger.")
    with pytest.raises(RuleBroken, match="Look at 1 warning first"):
        submit(world, version)
    assert len(answers_kept(world)) == 1


def test_what_a_safeguarding_policy_lacks_is_waived_only_with_a_reason(
    world: World, trustees: tuple, client_for
) -> None:
    version = draft(world, "Kites fly.", header=replace(HEADER, safeguarding=True))
    lacking = findings(world, version)
    assert [(one.rule, one.severity) for one in lacking] == [("L38", Severity.ERROR), ("L40", Severity.ERROR)]
    with pytest.raises(RuleBroken, match="2 errors"):
        submit(world, version)
    empty = client_for(world.manager).post(
        world.url("policies/kite-policy/draft/check"), data={f"waive-{lacking[0].mark}": " "}
    )
    assert empty.status_code == 422
    assert f'href="#waive-{lacking[0].mark}"' in empty.text
    with pytest.raises(RuleBroken, match="approvers see your reason"):
        submit(world, version, {one.mark: "no" for one in lacking})
    submit(world, version, {one.mark: "The child protection policy says it." for one in lacking})
    assert {one.reason for one in answers_kept(world)} == {"The child protection policy says it."}

    with world.looking():
        run = queries.find_pending_run(version_id=version.id)
        assert run is not None
    page = client_for(trustees[0]).get(world.url(f"approvals/{run.id}")).text
    assert "Remarks that were let stand" in page
    assert "The child protection policy says it." in page
    assert "The local authority designated officer (LADO) is not mentioned." in page


def test_an_answer_cannot_be_changed_or_taken_away_and_stays_in_its_trust(
    world: World, other_world: World, trustees: tuple
) -> None:
    version = draft(world, DOUBTFUL)
    (warning,) = findings(world, version)
    submit(world, version, {warning.mark: ""})
    for statement in ("UPDATE lint_answer SET reason = 'other'", "DELETE FROM lint_answer"):
        with world.looking(), pytest.raises(DatabaseError, match="permission denied"), unit_of_work():
            db.session.execute(
                text(statement), execution_options={"unscoped_because": "a test of the grants"}
            )
    assert answers_kept(other_world) == []


def test_only_who_may_write_lets_a_finding_stand(world: World, trustees: tuple) -> None:
    version = draft(world, DOUBTFUL)
    (warning,) = findings(world, version)
    with world.acting(trustees[0]) as actor, pytest.raises(Forbidden):
        lint.answer_findings(
            actor, version_id=version.id, answers={warning.mark: ""}, now=now(), today=today()
        )


# -- pages -------------------------------------------------------------------------------------------------------


def test_remarks_stand_beside_the_clause_with_the_words_marked(world: World, client_for) -> None:
    version = draft(world, "Kites fly.", REPEALED, DOUBTFUL)
    client = client_for(world.manager)
    page = client.get(world.url("policies/kite-policy/draft")).text
    assert "Check the text (2)" in page
    assert page.count("<mark>Data Protection Act 1998</mark>") == 1
    row = page[page.index('id="c-c-2"') : page.index('id="c-c-3"')]
    assert "repealed on 25 May 2018" in row
    assert "This looks like a slip" not in row

    form = client.get(world.url("policies/kite-policy/draft/clauses/c-2")).text
    assert "<mark>Data Protection Act 1998</mark>" in form
    with world.looking():
        stored = queries.get_draft_clause(version.id, "c-2")
    saved = client.post(
        world.url("policies/kite-policy/draft/clauses/c-2"),
        data={
            "heading": "",
            "text": "Records are kept.",
            "mode": "locked",
            "kind": "clause",
            "row_version": str(stored.row_version),
        },
        headers={"HX-Request": "true"},
    )
    assert saved.status_code == 200
    assert "<mark>" not in saved.text


def test_the_report_groups_by_severity_filters_and_lets_a_warning_stand(world: World, client_for) -> None:
    version = draft(world, REPEALED, DOUBTFUL, "Pupils fly. Pupils land. Students watch.")
    client, address = client_for(world.manager), world.url("policies/kite-policy/draft/check")
    page = client.get(address).text
    assert (
        page.index("<h2>Errors</h2>") < page.index("<h2>Warnings</h2>") < page.index("<h2>Information</h2>")
    )
    assert "1 error must be put right" in page
    assert world.url("policies/kite-policy/draft#c-c-1") in page
    only = client.get(f"{address}?show=warning").text
    assert "<h2>Warnings</h2>" in only
    assert "<h2>Errors</h2>" not in only
    fragment = client.get(f"{address}?show=warning", headers={"HX-Request": "true"}).text
    assert fragment.lstrip().startswith('<div id="check"')

    (warning,) = [one for one in findings(world, version) if one.severity is Severity.WARNING]
    assert client.post(address, data={"stays": warning.mark}).status_code == 303
    page = client.get(address).text
    assert "<h2>Warnings</h2>" not in page
    assert f"{world.manager.name} let it stand on" in page
    assert len(answers_kept(world)) == 1
    assert client.post(address, data={"stays": warning.mark}).status_code == 303
    assert len(answers_kept(world)) == 1
    (error,) = [one for one in findings(world, version) if one.severity is Severity.ERROR]
    assert client.post(address, data={f"waive-{error.mark}": "Because we like it."}).status_code == 422


def test_the_page_before_sending_keeps_what_was_ticked(world: World, trustees: tuple, client_for) -> None:
    version = draft(world, DOUBTFUL, header=replace(HEADER, safeguarding=True))
    client, address = client_for(world.manager), world.url("policies/kite-policy/draft/submit")
    page = client.get(address).text
    assert "2 errors in the text have to be put right first." in page
    found = {one.rule: one for one in findings(world, version)}
    refused = client.post(
        address,
        data={
            "reason": "It is time.",
            "stays": found["L30"].mark,
            f"waive-{found['L38'].mark}": "Another policy says where it goes.",
        },
    )
    assert refused.status_code == 422
    assert "put 1 error right first" in refused.text
    assert f'value="{found["L30"].mark}" checked' in refused.text
    assert "Another policy says where it goes." in refused.text
    assert answers_kept(world) == []
    sent = client.post(
        address,
        data={
            "reason": "It is time.",
            "stays": found["L30"].mark,
            f"waive-{found['L38'].mark}": "Another policy says where it goes.",
            f"waive-{found['L40'].mark}": "Another policy names the LADO.",
        },
    )
    assert sent.status_code == 303
    assert len(answers_kept(world)) == 3


def test_an_import_shows_remarks_before_anything_is_saved(world: World, client_for) -> None:
    client = client_for(world.manager)
    lookalike = b"Kite flying policy\n\n1. Wind\n\n1.1 Records follow the Data Protection Act 1998.\n"
    sent = client.post(
        world.url("imports/new"),
        data={"csrf_token": client.csrf, "file": (BytesIO(lookalike), "kites.txt")},
        content_type="multipart/form-data",
    )
    assert sent.status_code == 303, sent.text
    page = client.get(sent.location).text
    assert "<mark>Data Protection Act 1998</mark>" in page
    assert "remarks about the text" in page


# -- a school's own words ----------------------------------------------------------------------------------------


def submit_at_school(on: Social, answers: dict[str, str] | None = None) -> None:
    with on.world.acting(on.head) as actor:
        local.submit_edition(
            actor,
            policy_id=on.policy_id,
            school_id=on.school.id,
            reason="What is different here.",
            now=now(),
            answers=answers,
        )


def test_a_school_is_asked_about_its_own_words_only(at_ashgrove: Social, client_for) -> None:
    on = at_ashgrove
    on.answer("administrators", "Administrators keep to the Data Protection Act 1998.")
    with pytest.raises(RuleBroken, match="put 1 error right first"):
        submit_at_school(on)
    page = client_for(on.head).get(on.url("submit")).text
    assert "<mark>Data Protection Act 1998</mark>" in page
    on.answer("administrators", "Ask your line manger who they are.", row_version=1)
    with pytest.raises(RuleBroken, match="Look at 1 warning first"):
        submit_at_school(on)
    client = client_for(on.head)
    page = client.get(on.url("submit")).text
    mark = page.split('name="stays"')[1].split('value="')[1].split('"')[0]
    refused = client.post(on.url("submit"), data={"reason": "We are small."})
    assert refused.status_code == 422
    assert client.post(on.url("submit"), data={"reason": "We are small.", "stays": mark}).status_code == 303
    (kept,) = answers_kept(on.world)
    assert (kept.school_id, kept.person_id, kept.clause_key) == (on.school.id, on.head.id, "administrators")

    with on.world.looking():
        edition = queries.find_submitted_edition(on.policy_id, on.school.id)
        assert edition is not None
        run = queries.find_pending_run(edition_id=edition.id)
        assert run is not None
    shown = client_for(on.chair).get(on.world.url(f"approvals/{run.id}")).text
    assert f"{on.head.name} let it stand on" in shown


# -- guidance that was superseded --------------------------------------------------------------------------------

NAMES_IT: Tree = (
    *TREE[:-1],
    Clause("data", "accounts", Kind.CLAUSE, "", "Personal data follows the GDPR and the UK GDPR."),
    TREE[-1],
)
RECORD = "gdpr-without-uk"


def look(world: World, on: date | None = None) -> int:
    with world.worker_app.app_context(), world.looking():
        return lint.look_at_guidance(trust_id=world.trust_id, now=now(), today=on or today())


def reviews(world: World) -> list[GuidanceReview]:
    with world.looking():
        return list(db.session.scalars(select(GuidanceReview)))


def test_a_superseded_record_opens_one_review_with_every_clause_at_every_place(
    world: World, client_for
) -> None:
    on = social(world, tree=NAMES_IT)
    birchwood = world.school("Birchwood")
    run_quick_jobs(world)
    assert look(world, date(2020, 12, 31)) == 0, "the day before it ended"
    assert look(world) == 1
    run_quick_jobs(world)
    assert look(world) == 0, "a review is opened once"
    (review,) = reviews(world)
    assert (review.record, review.state, review.clauses, review.places) == (RECORD, "open", 1, 2)
    assert review.roles == ["network_manager"]
    with world.looking():
        notices = db.session.scalars(
            select(Notice).where(Notice.person_id == world.manager.id, Notice.subject.contains("No longer"))
        ).all()
    assert [one.path for one in notices] == [f"/t/{world.slug}/guidance/{RECORD}"]

    client = client_for(world.manager)
    assert "Review what names The GDPR of the European Union" in client.get(world.url("")).text
    page = client.get(world.url(f"guidance/{RECORD}")).text
    assert "<mark>GDPR</mark>" in page
    for place in (on.school, birchwood):
        assert on.url(school=place) + "#clause-data" in page
    listing = client.get(world.url("guidance?show=ended")).text
    assert "named in 1 clause at 2 places" in listing
    # A head sees what is in force at the own school, and closes nothing.
    head = client_for(on.head)
    theirs = head.get(world.url(f"guidance/{RECORD}")).text
    assert on.url() + "#clause-data" in theirs
    assert birchwood.slug not in theirs
    assert "Close the review" not in theirs
    assert head.post(world.url(f"guidance/{RECORD}/close"), data={"note": "Done."}).status_code == 403


def test_a_review_is_closed_by_hand_with_a_note_or_by_itself_when_nothing_names_it(
    world: World, client_for
) -> None:
    on = social(world, tree=NAMES_IT)
    assert look(world) == 1
    client = client_for(world.manager)
    address = world.url(f"guidance/{RECORD}/close")
    assert client.post(address, data={"note": " "}).status_code == 422
    on.next_version({"data": "Personal data follows the UK GDPR."})
    assert look(world) == 0
    (review,) = reviews(world)
    assert (review.state, review.closed_by) == ("closed", None)
    assert "Nothing in force names it any more." in client.get(world.url(f"guidance/{RECORD}")).text
    assert client.post(address, data={"note": "Corrected."}).status_code == 422


def test_a_closed_review_stays_closed_while_it_is_still_named(world: World, client_for) -> None:
    social(world, tree=NAMES_IT)
    look(world)
    client = client_for(world.manager)
    assert (
        client.post(
            world.url(f"guidance/{RECORD}/close"), data={"note": "It may stay until May."}
        ).status_code
        == 303
    )
    assert look(world) == 0
    page = client.get(world.url(f"guidance/{RECORD}")).text
    assert "It may stay until May." in page
    assert "<mark>GDPR</mark>" in page
    assert "Review what names" not in client.get(world.url("")).text


def test_the_dictionary_is_a_dated_page(world: World, client_for) -> None:
    client = client_for(world.manager)
    page = client.get(world.url("guidance")).text
    assert "Keeping children safe in education" in page
    assert "25 May 2018" in page
    assert client.get(world.url("guidance/no-such-record")).status_code == 404
    ended = client.get(world.url("guidance?show=ended")).text
    assert "Data Protection Act 1998" in ended
    assert "Human Rights Act 1998" not in ended


def test_a_review_of_one_trust_is_not_seen_in_another(world: World, other_world: World, client_for) -> None:
    social(world, tree=NAMES_IT)
    look(world)
    assert len(reviews(world)) == 1
    assert reviews(other_world) == []
    page = client_for(other_world.manager).get(other_world.url(f"guidance/{RECORD}")).text
    assert "No clause in force names it." in page
