"""The database: models' base, the scope that a transaction serves, and the unit of work.

Three rings keep trusts apart. `Scope` is the first: it comes from the signed-in membership, never from a form. The
session hooks in this module are the second: every ORM statement gets the trust, anything else is refused unless the
line says why. PostgreSQL's row-level security (`trustportal.protection`) is the third, fed by `_begin_with_scope`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    Connection,
    DateTime,
    Engine,
    ForeignKeyConstraint,
    MetaData,
    UniqueConstraint,
    event,
    false,
    func,
    select,
)
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    ORMExecuteState,
    Session,
    declared_attr,
    mapped_column,
    with_loader_criteria,
)

from trustportal.wire import Wire

if TYPE_CHECKING:
    from trustportal.access import Actor

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
METADATA = MetaData(naming_convention=NAMES)


class Model(DeclarativeBase):
    """Base of every table. Tables are named in the singular, `*_at` are UTC instants, `*_on` are days."""

    metadata = METADATA
    type_annotation_map = {datetime: DateTime(timezone=True)}  # noqa: RUF012


# Flask-SQLAlchemy gives the sessions and engines; the models are plain SQLAlchemy, so that types are checked.
db = SQLAlchemy(metadata=METADATA, session_options={"expire_on_commit": False})


class Identified(Model):
    """A row with a random id of its own."""

    __abstract__ = True
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)


class TrustOwned(Model):
    """A row of one trust. Every statement about it is filtered, every new one stamped, by the hooks below."""

    __abstract__ = True

    @declared_attr
    def trust_id(cls) -> Mapped[UUID]:
        return mapped_column(index=False, nullable=False)


class TrustRow(TrustOwned):
    """A row of one trust with an id, which other rows of the same trust may point at by `(trust_id, id)`."""

    __abstract__ = True
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)

    @declared_attr.directive
    def __table_args__(cls) -> Any:
        return (
            UniqueConstraint("trust_id", "id", name=f"uq_{cls.__tablename__}_trust"),
            *owned_by_trust(),
            *getattr(cls, "__rules__", ()),
        )


def owned_by_trust() -> tuple[ForeignKeyConstraint, ...]:
    """The key that ties a row to its trust."""
    return (ForeignKeyConstraint(["trust_id"], ["trust.id"]),)


def points_at(
    table: str, column: str, *, target: str = "id", ondelete: str | None = None
) -> ForeignKeyConstraint:
    """A key to another row *of the same trust*: a simple one would accept another trust's row."""
    return ForeignKeyConstraint(
        ["trust_id", column], [f"{table}.trust_id", f"{table}.{target}"], ondelete=ondelete
    )


class SchoolOwned(TrustRow):
    """A row of one school: seen by people of that school and by the trust's officers."""

    __abstract__ = True

    @declared_attr
    def school_id(cls) -> Mapped[UUID]:
        return mapped_column(nullable=False)


class PlaceOwned(TrustRow):
    """A row of one place: a school, or the trust itself (`school_id` is None), which everybody of the trust sees."""

    __abstract__ = True

    @declared_attr
    def school_id(cls) -> Mapped[UUID | None]:
        return mapped_column(nullable=True)


# -- ring 1: the scope -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Scope:
    """What the running request or job may touch: one trust, and in it all schools or some."""

    trust_id: UUID
    person_id: UUID | None = None
    school_ids: frozenset[UUID] = frozenset()
    all_schools: bool = False

    @classmethod
    def of(cls, actor: Actor) -> Scope:
        """The scope of a signed-in person."""
        return cls(actor.trust_id, actor.person_id, actor.school_ids, actor.is_officer)

    @classmethod
    def job(cls, trust_id: UUID) -> Scope:
        """The scope of a job: one trust, all its schools."""
        return cls(trust_id, all_schools=True)


_scope: ContextVar[Scope | None] = ContextVar("trustportal_scope", default=None)


def current_scope() -> Scope | None:
    """The scope in force, or None before a trust is known."""
    return _scope.get()


def enter_scope(scope: Scope | None) -> None:
    """Set the scope for the rest of this context, in a running transaction too (the web does, once it knows)."""
    _scope.set(scope)
    session = db.session()
    if session.in_transaction():
        previous = session.info.get("scope")
        if previous is not None and previous != scope:
            raise RuntimeError(
                "one session serves one trust: remove the session before entering another scope"
            )
        session.info["scope"] = scope
        _apply(session.connection(), scope)


@contextmanager
def scope(value: Scope) -> Iterator[Scope]:
    """Run a block in a scope, with a session of its own. Crossing trusts is a loop of these."""
    if _scope.get() is not None:
        raise RuntimeError(
            "a scope is open already; crossing trusts is a loop of scopes, never one inside another"
        )
    db.session.remove()
    token = _scope.set(value)
    try:
        yield value
    finally:
        db.session.remove()
        _scope.reset(token)


_SETTINGS = (
    "SELECT set_config('app.trust_id', %(trust)s, true), set_config('app.person_id', %(person)s, true),"
    " set_config('app.school_ids', %(schools)s, true), set_config('app.all_schools', %(every)s, true)"
)


def _wire(connection: Connection) -> Wire | None:
    """The connection beneath SQLAlchemy's, where it can hold back what it says (every engine of the portal's can)."""
    beneath = connection.connection.dbapi_connection
    return beneath if isinstance(beneath, Wire) else None


def _apply(connection: Connection, value: Scope | None) -> None:
    """The settings that row-level security reads: they go to PostgreSQL before the next statement."""
    settings = {
        "trust": str(value.trust_id) if value else "",
        "person": str(value.person_id) if value and value.person_id else "",
        "schools": "{" + ",".join(sorted(map(str, value.school_ids))) + "}" if value else "{}",
        "every": "on" if value and value.all_schools else "off",
    }
    wire = _wire(connection)
    if wire is not None:
        wire.begin_with(_SETTINGS, settings)
    else:
        connection.exec_driver_sql(_SETTINGS, settings)


@event.listens_for(Session, "after_begin")
def _begin_with_scope(session: Session, transaction: Any, connection: Connection) -> None:
    if transaction.nested:
        return
    value = _scope.get()
    session.info["scope"] = value
    if value is not None:
        _apply(connection, value)


@event.listens_for(Session, "after_transaction_end")
def _forget_scope(session: Session, transaction: Any) -> None:
    if transaction.parent is None:
        session.info.pop("scope", None)


# -- ring 3: a role that it binds --------------------------------------------------------------------------------

_COULD_BYPASS = """
    SELECT session_user FROM pg_roles me WHERE me.rolname IN (session_user, current_user) AND (
        EXISTS (SELECT FROM pg_roles other
                 WHERE (other.rolsuper OR other.rolbypassrls) AND pg_has_role(me.oid, other.oid, 'MEMBER'))
        OR EXISTS (SELECT FROM pg_class WHERE relowner = me.oid AND relrowsecurity))
"""


def refuse_powerful_role(engine: Engine) -> None:
    """Let an engine connect only as a role that row-level security binds: no superuser, no owner, none that bypasses.

    A connection as any other raises RuntimeError, so that a wrong address in the settings serves nobody.
    """

    @event.listens_for(engine, "connect")
    def check(connection: Any, _record: Any) -> None:
        with connection.cursor() as cursor:
            found = cursor.execute(_COULD_BYPASS).fetchone()
        connection.rollback()
        if found is not None:
            connection.close()
            raise RuntimeError(f"the database role {found[0]} could pass by row-level security")


# -- ring 2: the session's seatbelt ------------------------------------------------------------------------------


@lru_cache(256)
def _only_of(trust_id: UUID) -> Any:
    """The filter for one trust; kept, since every statement of a request takes the same one."""
    return with_loader_criteria(TrustOwned, lambda cls: cls.trust_id == trust_id, include_aliases=True)


@event.listens_for(Session, "do_orm_execute")
def _fasten(state: ORMExecuteState) -> None:
    """Give every ORM statement its trust; refuse anything that is no ORM statement and does not say why."""
    if not state.is_orm_statement or state.is_from_statement:  # from_statement(text(…)) would pass unfiltered
        if state.execution_options.get("unscoped_because") is None:
            raise RuntimeError(
                "only ORM statements are filtered by trust: write an ORM statement, or say"
                " execution_options(unscoped_because='…')"
            )
        return
    if state.is_select and getattr(state.statement, "_for_update_arg", None) is not None:
        # SQLAlchemy keeps what the session read before: whoever waited for the lock would decide on stale columns.
        state.update_execution_options(populate_existing=True)
    value = _scope.get()
    if value is None:
        state.statement = state.statement.options(
            with_loader_criteria(TrustOwned, lambda cls: false(), include_aliases=True)
        )
    else:
        state.statement = state.statement.options(_only_of(value.trust_id))


@event.listens_for(Session, "before_flush")
def _stamp(session: Session, *_: Any) -> None:
    """Stamp new rows with the trust of the scope, and refuse a row of any other."""
    value = _scope.get()
    for row in session.new:
        if not isinstance(row, TrustOwned):
            continue
        if value is None:
            raise RuntimeError(f"no scope: a {type(row).__name__} cannot be written before a trust is known")
        if row.trust_id is None:
            row.trust_id = value.trust_id
    for row in (*session.new, *session.dirty, *session.deleted):
        if isinstance(row, TrustOwned) and (value is None or row.trust_id != value.trust_id):
            raise RuntimeError(f"a {type(row).__name__} of another trust was touched")


# -- the unit of work --------------------------------------------------------------------------------------------


@dataclass(slots=True)
class UnitOfWork:
    """One use case, one transaction: what is announced and recorded in it is written just before it commits."""

    announcements: list[tuple[str, dict[str, Any], dict[str, Any]]] = field(default_factory=list)
    #: What is said last, with COMMIT: SQL with `%(name)s`, and its values.
    last: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    #: The same, said after it: what locks the head of a chain, for which everybody waits.
    chained: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    #: How many use cases are open inside the one that will commit.
    joined: int = 0

    def announce(self, event_name: str, *, not_before: datetime | None = None, **ids: Any) -> None:
        """Tell the outbox that something happened; every job registered for the event will run, once."""
        self.announcements.append(
            (str(event_name), {k: str(v) for k, v in ids.items()}, {"not_before": not_before})
        )

    def say_last(self, query: str, values: Mapping[str, Any], *, chained: bool = False) -> None:
        """Send a statement together with COMMIT. The rows of the scope's trust only: nothing adds a filter to it, but
        row-level security. Nobody reads what it writes before that.

        `chained`: it locks the head of a chain, so it comes after all that may wait for another lock.
        """
        (self.chained if chained else self.last).append((query, values))

    def say_soon(self, query: str, values: Mapping[str, Any]) -> None:
        """As `say_last`, but at once where a larger use case goes on after this one, and may read it."""
        if not self.joined:
            self.say_last(query, values)
            return
        db.session.flush()
        db.session.connection().exec_driver_sql(query, dict(values))


_unit: ContextVar[UnitOfWork | None] = ContextVar("trustportal_unit", default=None)
#: Set by `trustportal.jobs`: writes the outbox rows of the announcements.
_announcers: list[Callable[[UnitOfWork], None]] = []


def on_announcements(write: Callable[[UnitOfWork], None]) -> None:
    """Register who writes announcements (the outbox does, once, when it is imported)."""
    _announcers.append(write)


def current_unit() -> UnitOfWork:
    """The unit of work that is open. Raises RuntimeError outside one."""
    unit = _unit.get()
    if unit is None:
        raise RuntimeError("no unit of work is open")
    return unit


@contextmanager
def unit_of_work() -> Iterator[UnitOfWork]:
    """One transaction. Inside a job, or inside another use case, it joins the one that is open."""
    joined = _unit.get()
    if joined is not None:
        joined.joined += 1
        try:
            yield joined
        finally:
            joined.joined -= 1
        return
    unit = UnitOfWork()
    token = _unit.set(unit)
    try:
        yield unit
        # They go with everything else that is written, in one flush.
        for write in _announcers:
            write(unit)
        db.session.flush()
        # The audit chain's head is locked by its first append: so it comes last, and nobody waits long for it.
        if unit.last or unit.chained:
            connection = db.session.connection()
            wire = _wire(connection)
            for query, values in (*unit.last, *unit.chained):
                if wire is not None:
                    wire.end_with(query, values)
                else:
                    connection.exec_driver_sql(query, dict(values))
        db.session.commit()
    except BaseException:
        db.session.rollback()
        raise
    finally:
        _unit.reset(token)


def one_at_a_time(name: str) -> None:
    """Let nobody else of the trust do what bears this name until the open unit of work ends: whoever comes waits."""
    of = current_scope()
    assert of is not None
    db.session.execute(
        select(func.pg_advisory_xact_lock(func.hashtextextended(f"{name} {of.trust_id}", 0))),
        execution_options={"unscoped_because": "a lock on a name; no rows are read"},
    )
