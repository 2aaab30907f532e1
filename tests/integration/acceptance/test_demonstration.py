"""The demonstration trust as it is loaded: most people of one school have signed, and nobody whom a visitor can be."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import select

from trustportal.acceptance.models import Campaign, Signature
from trustportal.acceptance.queries import progress
from trustportal.acceptance.services.verifying import verify_all
from trustportal.db import Scope, db, scope
from trustportal.demonstration import SIGNING_SCHOOL, STILL_TO_SIGN, load
from trustportal.times import today


def test_the_demonstration_shows_life(worker_app: Flask) -> None:
    with worker_app.app_context():
        loader = load()
        with scope(Scope.job(loader.trust_id)):
            signatures = db.session.scalars(select(Signature)).all()
            assert {one.place_name for one in signatures} == {loader.story.schools[SIGNING_SCHOOL].name}
            shown = {loader.people[one.name] for one in loader.story.people if one.shown}
            assert not shown & {one.person_id for one in signatures}
            assert list(verify_all()) == []
            campaign = db.session.scalars(select(Campaign)).one()
            tally = progress.tallies_of(campaign, [signatures[0].school_id], today()).places
            here = tally[signatures[0].school_id]
            assert here.signed == len(signatures)
            assert here.missing >= STILL_TO_SIGN
