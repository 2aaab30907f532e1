"""A version goes on without a school: its pages say since when, the past stays true, and it can come back."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
import time_machine

from tests.integration.policies.given import Social, publish
from tests.integration.policies.several import beside, edition_of
from trustportal.db import db
from trustportal.errors import RuleBroken
from trustportal.policies import queries, reading
from trustportal.policies.domain.clauses import NumberingStyle
from trustportal.policies.domain.header import PolicyHeader
from trustportal.policies.domain.places import Where
from trustportal.policies.services import drafts, local
from trustportal.times import now, today


def for_schools(on: Social, *schools: UUID) -> None:
    """Publish a version that applies at these schools only."""
    with on.world.acting(on.world.manager) as actor:
        version = drafts.start_draft(actor, policy_id=on.policy_id, now=now())
        drafts.change_header(
            actor,
            version_id=version.id,
            header_seen=drafts.header_mark(version),
            header=PolicyHeader.from_json(version.header),
            numbering=NumberingStyle.DECIMAL,
            where=Where(frozenset(str(one) for one in schools)),
            now=now(),
        )
        version_id = version.id
    publish(on.world, on.trustees, version_id, {})


def test_a_school_that_is_taken_out_reads_since_when_and_comes_back_with_a_new_edition(
    at_ashgrove: Social, client_for, client
) -> None:
    on, beech = at_ashgrove, beside(at_ashgrove, "Beech")
    begun = today()
    on.answer("administrators", "Our office holds the accounts.")
    with on.world.acting(on.head) as actor:
        local.submit_edition(
            actor, policy_id=on.policy_id, school_id=on.school.id, reason="As agreed.", now=now()
        )
    ended, back = begun + timedelta(days=3), begun + timedelta(days=6)
    with time_machine.travel(now() + timedelta(days=3), tick=False):
        for_schools(on, beech.school.id)
        head = client_for(on.head)
        page = head.get(on.url()).text
        assert "no longer applies at Ashgrove Primary School" in page
        assert "Edition 1.1 since" not in page
        log = head.get(on.url("history")).text
        assert "No longer in force" in log
        assert ">In force<" not in log
        assert "No longer in force" in head.get(on.url("editions/1.1")).text
        listed = head.get(on.world.url(f"schools/{on.school.slug}/policies")).text
        assert "No longer here" in listed
        # The day before, it was in force: the past is not told anew.
        before = head.get(on.url() + f"?on={(ended - timedelta(days=1)).isoformat()}").text
        assert "Every account has at least two administrators." in before
        assert "not_in_force" not in before
        # What was under way there has ended, and nothing new is begun.
        with on.world.looking():
            assert queries.find_submitted_edition(on.policy_id, on.school.id) is None
            assert queries.find_edition_in_force(on.policy_id, on.school.id, today()) is None
        with pytest.raises(RuleBroken, match="no longer applies at your school"):
            on.answer("societies", "We have none.")
        found = client_for(on.world.manager).get(on.world.url("search?q=administrators&now=1")).text
        assert "Beech (2.1)" in found
        assert "<b>In force at</b> <a" in found
        assert "Ashgrove (1.1)" not in found.split("Earlier at")[0]
        public = client.get(f"/p/{on.world.slug}/{on.school.slug}/policies/{on.slug}/editions/1.1").text
        assert "applied at Ashgrove Primary School until" in public
        assert "Edition 2.1" in client_for(beech.head).get(beech.url()).text
    with time_machine.travel(now() + timedelta(days=6), tick=False):
        for_schools(on, beech.school.id, on.school.id)
        with on.world.looking():
            edition = queries.find_edition_in_force(on.policy_id, on.school.id, today())
            assert edition is not None
            assert reading.edition_label(edition) == "3.1"
            db.session.expire_all()
            between = queries.find_edition_in_force(on.policy_id, on.school.id, back - timedelta(days=1))
            assert between is None
            first = queries.find_edition_in_force(on.policy_id, on.school.id, begun)
            assert first is not None
            assert reading.edition_label(first) == "1.1"
        page = client_for(on.head).get(on.url()).text
        assert "Edition 3.1" in page
        assert "No longer here" not in client_for(on.head).get(on.url("history")).text
        on.answer("societies", "We have none.")
    assert edition_of(beech) is not None
