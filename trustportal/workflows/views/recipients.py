"""Who receives allegations: the table in force, what is proposed, and a trustee's decision about it."""

from __future__ import annotations

from uuid import UUID

from flask import Response, url_for

from trustportal.access import Permission
from trustportal.tenants import queries as tenants
from trustportal.times import now, today
from trustportal.web import actor, allow, page, see_other
from trustportal.workflows.domain import recipients as domain
from trustportal.workflows.domain.recipients import LINES, Table
from trustportal.workflows.forms.cases import DecideForm
from trustportal.workflows.queries import people
from trustportal.workflows.queries import recipients as queries
from trustportal.workflows.recipient_forms import RecipientsForm, recipients_form
from trustportal.workflows.services import recipients
from trustportal.workflows.views.blueprint import workflows as blueprint

HERE = "/t/<trust>/recipients"


def _schools() -> list[tuple[UUID, str]]:
    return [(one.id, one.short_name) for one in tenants.list_schools(open_on=today())]


@blueprint.get(HERE)
@allow(Permission.ROUTING_READ, at="trust")
def recipients_shown(trust: str) -> Response:
    """Who receives an allegation about whom, and what waits for a decision."""
    return _page()


def _page(form: DecideForm | None = None) -> Response:
    table, proposed = queries.get_table(), queries.find_proposed()
    after = Table.read(proposed.content) if proposed else None
    names = tenants.names_of(
        {
            *(one.legal_head for one in table.schools.values() if one.legal_head),
            *((proposed.proposed_by,) if proposed else ()),
        }
    )
    schools = _schools()
    return page(
        "workflows/recipients.html",
        lines=[(text.title, text.hint, domain.in_words(table.to(line))) for line, text in LINES.items()],
        contacts=table.contacts,
        schools=[
            (name, contact.authority if (contact := table.contact(one)) else "", _legal(table, one, names))
            for one, name in schools
        ],
        approved=queries.find_approved(),
        proposed=proposed,
        proposed_by=names.get(proposed.proposed_by, "") if proposed else "",
        changes=domain.differs(table, after) if after else [],
        vacant=domain.vacant(table, people.roster(today()), schools),
        may_propose=actor().can(Permission.ROUTING_PROPOSE),
        may_decide=proposed is not None
        and actor().can(Permission.ROUTING_DECIDE)
        and proposed.proposed_by != actor().person_id,
        is_mine=proposed is not None and proposed.proposed_by == actor().person_id,
        form=form or DecideForm(formdata=None),
        status=form.status if form else 200,
    )


def _legal(table: Table, school: UUID, names: dict[UUID, str]) -> str:
    one = table.schools.get(school)
    return names.get(one.legal_head, "") if one and one.legal_head else ""


@blueprint.route(f"{HERE}/change", methods=["GET", "POST"])
@allow(Permission.ROUTING_PROPOSE, at="trust")
def recipients_change(trust: str) -> Response:
    """Propose another table."""
    form = recipients_form(queries.get_table(), _schools(), _heads())
    if form.is_submitted() and form.carry_out(
        lambda: recipients.propose(actor(), table=form.table(), reason=form.reason.data or "", now=now())
    ):
        return see_other(
            url_for("workflows.recipients_shown", trust=trust),
            "Proposed. It is used as soon as a trustee has approved it.",
        )
    return page("workflows/recipients_change.html", form=form, lines=_line_fields(form), status=form.status)


def _line_fields(form: RecipientsForm) -> list[tuple[str, str, list[object]]]:
    return [(text.title, text.hint, list(form.boxes(line))) for line, text in LINES.items()]


def _heads() -> dict[UUID, str]:
    roster = people.roster(today())
    return tenants.names_of({post.person for post in roster.posts if post.role == "headteacher"})


@blueprint.post(f"{HERE}/<uuid:routing_id>/decide")
@allow(Permission.ROUTING_DECIDE, at="trust")
def recipients_decide(trust: str, routing_id: UUID) -> Response:
    """Approve it, or say what has to be different."""
    form = DecideForm()
    queries.get_proposed(routing_id)
    approve = form.decision.data == "approve"
    if form.carry_out(
        lambda: recipients.decide(
            actor(), routing_id=routing_id, approve=approve, comment=form.comment.data or "", now=now()
        )
    ):
        words = "Approved. It counts from now on." if approve else "Declined. The table in force stays."
        return see_other(url_for("workflows.recipients_shown", trust=trust), words)
    return _page(form)


@blueprint.post(f"{HERE}/<uuid:routing_id>/withdraw")
@allow(Permission.ROUTING_PROPOSE, at="trust")
def recipients_withdraw(trust: str, routing_id: UUID) -> Response:
    """Take back what I proposed."""
    recipients.withdraw(actor(), routing_id=routing_id, now=now())
    return see_other(url_for("workflows.recipients_shown", trust=trust), "Taken back.")
