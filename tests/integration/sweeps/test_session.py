"""The session keeps to its trust by itself: asked with a superuser, whom row-level security does not bind."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import (
    Engine,
    Select,
    create_engine,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    text,
    true,
    update,
)
from sqlalchemy.orm import Session, aliased, configure_mappers

from tests.integration.sweeps import catalogue
from tests.integration.sweeps.conftest import Estate
from trustportal.acceptance.models import Assignment
from trustportal.db import METADATA, Model, Scope, TrustOwned, db, enter_scope, scope
from trustportal.kernel_models import Notice
from trustportal.migrate import sqlalchemy_url
from trustportal.policies.models import Edition, Policy, TemplateVersion
from trustportal.tenants.models import Person, School

ROOT = Path(__file__).resolve().parents[3]
RULES = catalogue.declared().protected


@pytest.fixture(scope="module")
def superuser(estate: Estate) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    with psycopg.connect(estate.superuser_url, autocommit=True) as connection:
        yield connection


# -- the second ring: the session --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bare(estate: Estate) -> Iterator[Engine]:
    """An engine that row-level security does not bind: only the session's hooks are left."""
    engine = create_engine(sqlalchemy_url(estate.superuser_url))
    yield engine
    engine.dispose()


@pytest.fixture
def session(estate: Estate, bare: Engine) -> Iterator[Session]:
    """A session of ours over the bare engine."""
    with estate.app.app_context(), scope(Scope.job(estate.ours.world.trust_id)), Session(bare) as made:
        yield made
        made.rollback()


OTHER = aliased(Policy)
#: Statements whose rows are trusts' ids (or, with `many`, their number), through every way a table can be reached.
READS: dict[str, Callable[[], Select[Any]]] = {
    "entity": lambda: select(Policy.trust_id),
    "alias": lambda: select(OTHER.trust_id),
    "join": lambda: select(Policy.trust_id).join(Edition, Edition.policy_id == Policy.id),
    "joined side": lambda: select(Edition.trust_id).select_from(Policy).join(Edition, true()),
    "outer join": lambda: select(Edition.trust_id).select_from(Policy).outerjoin(Edition, true()),
    "join of an alias": lambda: select(OTHER.trust_id).select_from(Policy).join(OTHER, true()),
    "comma": lambda: select(School.trust_id).join(Person, true()).where(Person.id.is_not(None)),
    "subquery": lambda: select(select(Policy.trust_id).subquery().c.trust_id),
    "subquery of a subquery": lambda: select(
        select(select(Policy.trust_id).subquery().c.trust_id).subquery().c.trust_id
    ),
    "entity of a subquery": lambda: select(aliased(Policy, select(Policy).subquery()).trust_id),
    "common table expression": lambda: select(select(Policy.trust_id).cte().c.trust_id),
    "lateral": lambda: select(
        select(Edition.trust_id).where(Edition.policy_id == Policy.id).lateral().c.trust_id
    ).select_from(Policy),
    "union": lambda: select(select(Policy.trust_id).union(select(Edition.trust_id)).subquery().c.trust_id),
    "in a subquery": lambda: select(Edition.trust_id).where(Edition.policy_id.in_(select(Policy.id))),
    "correlated exists": lambda: select(Policy.trust_id).where(
        exists().where(Edition.policy_id == Policy.id, Edition.state == "approved")
    ),
    "grouped": lambda: select(Policy.trust_id).group_by(Policy.trust_id).having(func.count() > 0),
    "distinct, ordered, limited": lambda: (
        select(Policy.trust_id).distinct().order_by(Policy.trust_id).limit(9)
    ),
    "locked": lambda: select(Policy.trust_id).with_for_update(),
}


@pytest.mark.parametrize("name", READS)
def test_every_way_of_reading_gives_our_rows_only(estate: Estate, session: Session, name: str) -> None:
    found = {row for row in session.scalars(READS[name]()) if row is not None}
    assert found == {estate.ours.world.trust_id}


def test_every_model_is_filtered(estate: Estate, session: Session) -> None:
    configure_mappers()
    owned = [mapper.class_ for mapper in Model.registry.mappers if issubclass(mapper.class_, TrustOwned)]
    assert {one.__tablename__ for one in owned} == set(RULES) - {"trust"}
    for model in owned:
        assert set(session.scalars(select(model.trust_id))) == {estate.ours.world.trust_id}, model


def test_counting_and_asking_whether_there_are_any(
    estate: Estate, session: Session, superuser: psycopg.Connection[tuple[Any, ...]]
) -> None:
    ours, theirs = estate.ours.world.trust_id, estate.theirs.world.trust_id
    own = len(session.scalars(select(Policy)).all())
    assert own > 3
    counted = superuser.execute("SELECT count(*) FROM policy WHERE trust_id = %s", [ours]).fetchall()
    assert own == counted[0][0]
    assert session.scalar(select(func.count()).select_from(Policy)) == own
    assert session.scalar(select(func.count(Policy.id))) == own
    assert session.scalar(select(select(func.count()).select_from(Policy).scalar_subquery())) == own
    assert session.query(Policy).count() == own
    assert session.query(exists().where(Policy.trust_id == theirs)).scalar() is not True
    assert (
        session.scalar(select(literal(1)).where(select(Policy).where(Policy.trust_id == theirs).exists()))
        is None
    )
    assert session.scalar(select(select(Policy.id).where(Policy.trust_id == theirs).exists())) is False
    assert session.scalar(select(select(Policy.id).where(Policy.trust_id == ours).exists())) is True


def test_another_trusts_row_is_not_got_by_its_id(
    estate: Estate, session: Session, superuser: psycopg.Connection[tuple[Any, ...]]
) -> None:
    theirs = superuser.execute(
        "SELECT id FROM policy WHERE trust_id = %s LIMIT 1", [estate.theirs.world.trust_id]
    ).fetchall()[0][0]
    assert session.get(Policy, theirs) is None
    assert session.scalars(select(Policy).where(Policy.id == theirs)).one_or_none() is None


def test_changing_in_bulk_touches_our_rows_only(estate: Estate, session: Session) -> None:
    changed = session.execute(
        update(Assignment).values(cause=Assignment.cause).returning(Assignment.trust_id)
    )
    assert set(changed.scalars()) == {estate.ours.world.trust_id}
    removed = session.execute(delete(Notice).where(Notice.id.is_not(None)).returning(Notice.trust_id))
    assert set(removed.scalars()) == {estate.ours.world.trust_id}
    together = session.execute(
        update(Policy)
        .where(Policy.id == Edition.policy_id)
        .values(title=Policy.title)
        .returning(Policy.trust_id)
    )
    assert set(together.scalars()) == {estate.ours.world.trust_id}


REFUSED: dict[str, Callable[[], Any]] = {
    "text": lambda: text("SELECT id FROM policy"),
    "text as entities": lambda: select(Policy).from_statement(text("SELECT * FROM policy")),
    "text as a table": lambda: select(func.count()).select_from(text("policy")),
    "the table itself": lambda: select(METADATA.tables["policy"]),
    "exists alone": lambda: select(exists().where(Policy.id.is_not(None))),
    "a function alone": lambda: select(func.now()),
    "an insert into the table itself": lambda: insert(METADATA.tables["policy"]).values(id=uuid4()),
    "an update of the table itself": lambda: update(METADATA.tables["policy"]).values(title="x"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_orm_statement_says_why_or_is_refused(session: Session, name: str) -> None:
    with pytest.raises(RuntimeError, match="unscoped_because"):
        session.execute(REFUSED[name]())


def test_the_code_mixes_no_bare_tables_into_its_statements() -> None:
    """The hooks cannot see a bare table inside an ORM statement (`Model.__table__`): nobody writes one."""
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in (ROOT / "trustportal").rglob("*.py")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(r"__table__|\.tables\[|from_statement\(", line) and path.name != "db.py"
    ]
    assert found == []


def test_relationships_would_need_tests_of_their_own() -> None:
    configure_mappers()
    assert [mapper for mapper in Model.registry.mappers if mapper.relationships] == []


def test_without_a_scope_nothing_is_read(estate: Estate, bare: Engine) -> None:
    with estate.app.app_context(), Session(bare) as session:
        assert session.scalars(select(Policy)).all() == []
        assert session.scalar(select(func.count()).select_from(Policy)) == 0
        assert session.get(Policy, uuid4()) is None


def test_new_rows_are_stamped_and_foreign_ones_refused(estate: Estate, bare: Engine) -> None:
    ours, theirs = estate.ours.world.trust_id, estate.theirs.world.trust_id

    def school(trust_id: UUID | None = None) -> School:
        made = School(
            slug=uuid4().hex, name="Elsewhere School", short_name="Elsewhere", joined_on="2024-09-01"
        )
        if trust_id is not None:
            made.trust_id = trust_id
        return made

    with estate.app.app_context():
        with scope(Scope.job(ours)), Session(bare) as session:
            session.add(stamped := school())
            session.flush()
            assert stamped.trust_id == ours
            session.rollback()
            session.add(school(theirs))
            with pytest.raises(RuntimeError, match="another trust"):
                session.flush()
        with Session(bare) as session:
            session.add(school())
            with pytest.raises(RuntimeError, match="before a trust is known"):
                session.flush()
        with Session(bare) as session:
            with scope(Scope.job(theirs)):
                foreign = session.scalars(select(School)).first()
            assert foreign is not None
            with scope(Scope.job(ours)):
                foreign.name = "Ours now"
                with pytest.raises(RuntimeError, match="another trust"):
                    session.flush()
                session.rollback()
        with scope(Scope.job(ours)), Session(bare) as session:
            mine = session.scalars(select(School)).first()
            assert mine is not None
            mine.trust_id = theirs
            with pytest.raises(RuntimeError, match="another trust"):
                session.flush()


def test_one_session_serves_one_trust(estate: Estate) -> None:
    ours, theirs = estate.ours.world.trust_id, estate.theirs.world.trust_id
    with estate.app.app_context(), scope(Scope.job(ours)):
        with pytest.raises(RuntimeError, match="a scope is open already"), scope(Scope.job(theirs)):
            pass
        assert db.session.scalars(select(TemplateVersion.id)).all()
        with pytest.raises(RuntimeError, match="one session serves one trust"):
            enter_scope(Scope.job(theirs))
