"""A trustee votes on a phone from a mailed link; the public finds a clause, reads it, and checks a printed paper."""

from __future__ import annotations

import io
import re

import pdfplumber
import pytest
from sqlalchemy import select

from e2e import journeys
from e2e.stage import NEW_WORDS, Stage, set_stage
from e2e.visitor import PHONE, Visitors
from trustportal.db import db, unit_of_work
from trustportal.kernel_models import Notice
from trustportal.policies import queries
from trustportal.tenants import sealing
from trustportal.tenants.models import Account
from trustportal.times import today

PASSWORD = "seven quiet otters"


@pytest.fixture
def stage(visitors: Visitors) -> Stage:
    """A policy in force, with its next version waiting for votes."""
    return set_stage(visitors.portal.trust("Hawthorn Learning Trust"))


def test_a_trustee_votes_on_a_phone_from_the_mailed_link(stage: Stage, visitors: Visitors) -> None:
    world, trustee = stage.world, stage.trustees[0]
    with world.app.app_context(), unit_of_work():
        db.session.get_one(Account, trustee.account_id).password = sealing.hash_password(PASSWORD)
    visitor = visitors.somebody(width=PHONE)
    link = ""
    while not link:
        with world.looking():
            asked = (
                select(Notice.path).where(Notice.person_id == trustee.id).order_by(Notice.created_at.desc())
            )
            link = next(iter(db.session.scalars(asked)), "")
        visitor.page.wait_for_timeout(250)
    visitor.open(link).sees("Sign in")
    journeys.finish_signing_in(visitor, trustee.email or "", PASSWORD)
    assert visitor.path == link
    visitor.sees("A day is too long.", "What it means", "are asked to sign again", "0 of 2")
    visitor.sees_no("Nobody lends a key")
    visitor.shot("vote-from-mail")
    visitor.press("Approve").sees("Your approval is recorded", "1 of 2")


def in_force(stage: Stage) -> bool:
    with stage.world.looking():
        policy = queries.get_policy(stage.slug)
        return queries.find_edition_in_force(policy.id, stage.school.id, today()) is not None


def test_the_public_finds_reads_and_checks(stage: Stage, visitors: Visitors) -> None:
    world, school = stage.world, stage.school
    parent = visitors.somebody(width=PHONE)
    public = f"/p/{world.slug}/{school.slug}/"
    # A browser may keep a public page for two minutes: it is opened when there is something on it.
    while not in_force(stage):
        parent.page.wait_for_timeout(250)
    parent.until(public, lambda page: "Keys policy" in page.locator("main").inner_text())
    parent.fill("Search our policies", "loses key").press("Search").sees("1 policy has", "tells the office")
    parent.shot("public-search")
    parent.follow("2.1").sees("In force", "on the same day")
    assert parent.page.evaluate("() => location.hash") == "#clause-tell"
    parent.sees_no(NEW_WORDS)

    paper = parent.pdf(f"{public}policies/{stage.slug}.pdf")
    with pdfplumber.open(io.BytesIO(paper)) as pdf:
        said = "".join((page.extract_text() or "") for page in pdf.pages)
    found = re.search(r"check/([0-9a-f]{64})", "".join(said.split()))
    assert found, said[-600:]
    parent.open(f"/check/{found[1]}").sees("This paper is in force", school.name)
    parent.shot("public-check")
    parent.follow("Read the Keys policy as it is in force").sees("Keys policy")

    parent.allowed = {404}
    parent.open(f"/check/{'0' * 64}").sees("This is not one of ours")
