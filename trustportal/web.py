"""The only module that knows HTTP's ways for everybody: who may come in, what a page is, how errors are shown.

Every route says who may use it, with `@allow`, `@signed_in` or `@public`; `admit` checks it before the view runs and
leaves the actor, the trust and the school in `g`. Views end in `page()` or `see_other()`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, cast
from urllib.parse import urlsplit
from uuid import UUID

from flask import (
    Flask,
    Response,
    current_app,
    flash,
    g,
    make_response,
    redirect,
    render_template,
    url_for,
)
from flask_login import LoginManager, UserMixin, current_user
from htmx_flask import request
from sqlalchemy import text
from werkzeug.datastructures import ImmutableMultiDict, MultiDict

from trustportal import error_pages, page_context
from trustportal.access import Actor, Permission, Role
from trustportal.db import Scope, _scope, db, enter_scope
from trustportal.error_pages import is_htmx
from trustportal.errors import Forbidden, NotFound
from trustportal.sessions import SignedOn

V = TypeVar("V", bound=Callable[..., Any])
Place = Literal["trust", "school", "any"]


# -- who may use a route -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Access:
    """What a route declares. `permission` None with `public` False: everybody who is signed in and of the trust."""

    public: bool = False
    permission: tuple[Permission, ...] = ()
    at: Place = "any"
    account_only: bool = False


def public(view: V) -> V:
    """Anybody may use this route, signed in or not."""
    view.access = Access(public=True)  # type: ignore[attr-defined]
    return view


def signed_in(view: V) -> V:
    """Everybody of the trust may use this route (what they see in it is their own)."""
    view.access = Access()  # type: ignore[attr-defined]
    return view


def with_account(view: V) -> V:
    """Everybody who is signed in may use this route, before a trust is chosen (their own account)."""
    view.access = Access(account_only=True)  # type: ignore[attr-defined]
    return view


def allow(*permissions: Permission, at: Place = "any") -> Callable[[V], V]:
    """Whoever holds one of the permissions: at the trust, at the school of the address, or at any of either."""

    def declare(view: V) -> V:
        view.access = Access(permission=permissions, at=at)  # type: ignore[attr-defined]
        return view

    return declare


@dataclass(frozen=True, slots=True)
class TrustHere:
    """The trust of the address, as pages show it."""

    id: UUID
    slug: str
    name: str
    colour: str
    logo_hash: str | None
    settings: dict[str, Any]

    @property
    def initial(self) -> str:
        """The letter of the crest when there is no logo."""
        return self.name[:1].upper()


@dataclass(frozen=True, slots=True)
class SchoolHere:
    """The school of the address, or one where the signed-in person serves."""

    id: UUID
    slug: str
    name: str
    short_name: str
    role_labels: dict[str, str]


def actor() -> Actor:
    """Who is acting. Raises `NotFound` where nobody is signed in."""
    found: Actor | None = g.get("actor")
    if found is None:
        raise NotFound()
    return found


def trust() -> TrustHere:
    """The trust of the address."""
    return cast(TrustHere, g.trust)


def school() -> SchoolHere:
    """The school of the address."""
    return cast(SchoolHere, g.school)


#: Set by the tenants feature: finds a school by its slug among those that the scope can see.
_find_school: Callable[[str], SchoolHere] | None = None


def school_finder(find: Callable[[str], SchoolHere]) -> None:
    """Register how a school's slug becomes a school (the feature that owns schools does)."""
    global _find_school
    _find_school = find


def _without_null(sent: MultiDict[str, str]) -> MultiDict[str, str]:
    """What was sent without null characters: no text holds one, PostgreSQL refuses them, and nobody types them."""
    if not any("\0" in part for pair in sent.items(multi=True) for part in pair):
        return sent
    cleaned = ((name.replace("\0", ""), value.replace("\0", "")) for name, value in sent.items(multi=True))
    return ImmutableMultiDict(cleaned)


def _admit() -> Response | None:
    """Check the route's access, and set the scope of the request."""
    g.user_agent = request.headers.get("User-Agent", "")
    if "\0" in request.path:
        raise NotFound()
    request.args, request.form = _without_null(request.args), _without_null(request.form)
    if request.endpoint is None or request.endpoint == "static":
        return None
    view = request.routing_exception is None and _view()
    access: Access | None = getattr(view, "access", None)
    if access is None:
        raise NotFound()
    _refuse_foreign_posts()
    arguments = request.view_args or {}
    if access.public:
        _public_place(arguments)
        return None
    if not current_user.is_authenticated:
        return cast(Response, login.unauthorized())
    if access.account_only:
        return None
    _enter(current_user.signed_on, arguments)
    if not access.permission:
        return None
    who, here = actor(), g.school.id if "school" in g else None
    if access.at == "school" and here is None:
        raise NotFound()
    for permission in access.permission:
        if access.at == "any" and here is None:
            if who.can_anywhere(permission):
                return None
        elif who.can(permission, here if access.at != "trust" else None):
            return None
    raise Forbidden()


# -- who it is -----------------------------------------------------------------------------------------------------

login = LoginManager()
# The session lies on the server and its token is new at every sign-in: there is nothing left to bind to an address.
login.session_protection = None


class Account(UserMixin):
    """Flask-Login's `current_user`: the account that a session on the server belongs to."""

    def __init__(self, signed_on: SignedOn) -> None:
        self.id = str(signed_on.account_id)
        self.signed_on = signed_on


@login.request_loader
def _who(_request: object) -> Account | None:
    signed_on: SignedOn | None = g.get("signed_on")
    return None if signed_on is None or signed_on.account_id is None else Account(signed_on)


@login.unauthorized_handler
def _ask_to_sign_in() -> Response:
    if request.method == "GET" and not is_htmx():
        return cast(Response, redirect(url_for("sign_in.sign_in", next=request.full_path.rstrip("?")), 303))
    return see_other(url_for("sign_in.sign_in", next=request.path if request.method == "GET" else ""))


def _view() -> Any:
    return current_app.view_functions.get(request.endpoint or "")


def _public_place(arguments: dict[str, Any]) -> None:
    if "trust" in arguments and request.path.startswith("/p/"):
        row = db.session.execute(
            text("SELECT trust_id, school_id FROM find_public_place(:trust, :school)"),
            {"trust": arguments["trust"], "school": arguments.get("school", "")},
            execution_options={"unscoped_because": "no trust is known yet; the function returns two ids"},
        ).one_or_none()
        if row is None:
            raise NotFound()
        db.session.rollback()
        enter_scope(Scope(row.trust_id, school_ids=frozenset({row.school_id})))


def _enter(signed_on: SignedOn, arguments: dict[str, Any]) -> None:
    if signed_on.trust_id is None or signed_on.person_id is None:
        raise NotFound()
    at_trust = frozenset(Role(held["role"]) for held in signed_on.roles if held["school"] is None)
    at_schools: dict[UUID, frozenset[Role]] = {}
    schools: dict[UUID, SchoolHere] = {}
    for held in signed_on.roles:
        if held["school"] is None:
            continue
        school_id = UUID(held["school"])
        at_schools[school_id] = at_schools.get(school_id, frozenset()) | {Role(held["role"])}
        labels = {**schools[school_id].role_labels} if school_id in schools else {}
        if held.get("label"):
            labels[held["role"]] = held["label"]
        schools[school_id] = SchoolHere(school_id, held["slug"], held["name"], held["short_name"], labels)
    g.actor = Actor(
        trust_id=signed_on.trust_id,
        person_id=signed_on.person_id,
        account_id=signed_on.account_id,
        name=signed_on.person_name,
        trust_roles=at_trust,
        school_roles=at_schools,
        signed_in_by=signed_on.method,
        signed_in_at=signed_on.authenticated_at.isoformat() if signed_on.authenticated_at else "",
    )
    g.my_schools = sorted(schools.values(), key=lambda school: school.short_name)
    g.trust = TrustHere(
        signed_on.trust_id,
        str(arguments.get("trust", "")),
        signed_on.trust_name,
        signed_on.colour,
        signed_on.logo_hash,
        signed_on.settings,
    )
    # `sign_on` has set the tenancy settings of this transaction; later ones get them from the scope.
    scope = Scope.of(g.actor)
    _scope.set(scope)
    db.session().info["scope"] = scope
    if "school" in arguments:
        mine = next((one for one in g.my_schools if one.slug == arguments["school"]), None)
        if mine is None:
            assert _find_school is not None
            mine = _find_school(arguments["school"])
        g.school = mine


def _refuse_foreign_posts() -> None:
    """A change comes from our own pages: browsers say so in `Sec-Fetch-Site` (the CSRF token is checked besides)."""
    if request.method not in {"GET", "HEAD", "OPTIONS"}:
        site = request.headers.get("Sec-Fetch-Site")
        if site not in {None, "same-origin", "none"}:
            raise Forbidden("This request did not come from TrustPortal's own pages.")


# -- pages and fragments -----------------------------------------------------------------------------------------


def page(template: str, *, fragment: str | None = None, status: int = 200, **context: Any) -> Response:
    """A whole page, or for HTMX the fragment that it includes. 422 goes with a form that was not accepted."""
    chosen = fragment if fragment is not None and is_htmx() else template
    answer = make_response(render_template(chosen, **context), status)
    answer.headers.add("Vary", "HX-Request")
    return answer


def see_other(url: str, message: str | None = None) -> Response:
    """Success: go there. `message` is shown on the next page."""
    if message:
        flash(message)
    if is_htmx():
        return Response(status=204, headers={"HX-Redirect": url})
    return cast(Response, redirect(url, 303))


def safe_next(target: str | None, otherwise: str) -> str:
    """An address of our own to go on to; anything that could leave the portal becomes `otherwise`."""
    if not target:
        return otherwise
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or not target.startswith("/") or target.startswith(("//", "/\\")):
        return otherwise
    if not target.isprintable():  # a line break stands in no header: the answer would fail, at every try
        return otherwise
    return target


# -- installing --------------------------------------------------------------------------------------------------


POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:;"
    " font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def _harden(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", POLICY)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    if g.get("signed_on") is not None:
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _clean(_error: BaseException | None) -> None:
    _scope.set(None)
    db.session.remove()


def every_route_declares_access(app: Flask) -> None:
    """Raise RuntimeError for a route that does not say who may use it: forgetting fails the start, not the audit."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint != "static" and not hasattr(app.view_functions[rule.endpoint], "access"):
            raise RuntimeError(f"{rule.rule} does not say who may use it: @allow, @signed_in or @public")


def install(app: Flask) -> None:
    """Put the door, the errors and the headers into an application."""
    login.init_app(app, add_context_processor=False)
    app.before_request(_admit)
    app.after_request(_harden)
    app.teardown_request(_clean)
    app.context_processor(page_context.context)
    error_pages.install(app)


__all__ = [
    "Access",
    "SchoolHere",
    "TrustHere",
    "actor",
    "allow",
    "is_htmx",
    "page",
    "public",
    "safe_next",
    "school",
    "see_other",
    "signed_in",
    "trust",
    "with_account",
]
