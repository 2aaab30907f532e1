"""A school's public policies for other programs: JSON Feed, Atom, and a script that puts the list into a page."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from flask import Response, current_app, url_for

from trustportal.policies.domain.changes import ChangeRow
from trustportal.policies.models import Edition, Policy
from trustportal.policies.views import presenting
from trustportal.policies.views.public import ROOT, as_of, blueprint, cacheable, has_left, lines_of, place_of
from trustportal.tenants.models import School
from trustportal.times import midnight
from trustportal.web import public

ATOM = "http://www.w3.org/2005/Atom"


def _whole(endpoint: str, trust: str, place: School, **arguments: Any) -> str:
    """A whole address: feeds are read elsewhere."""
    base: str = current_app.config["PORTAL"].public_url
    path = url_for(f"public_pages.{endpoint}", trust=trust, school=place.slug, **arguments)
    return f"{base}{path}"


def _since(edition: Edition) -> datetime:
    """The instant from which an edition is in force: editions begin at 00:00 in England."""
    assert edition.effective_on is not None
    return midnight(edition.effective_on)


def _summary(edition: Edition, label: str) -> str:
    """What changed with an edition, in a line."""
    rows: list[ChangeRow] = presenting.log_of(edition.changes)
    said = "; ".join(f"{row.said}: {row.number or row.old_number} {row.title}".strip() for row in rows[:8])
    return f"Edition {label}. {said or 'No clause changed.' if edition.previous_id else 'The first edition.'}"


@blueprint.get(f"{ROOT}/feed.json")
@public
def json_feed(trust: str, school: str) -> Response:
    """JSON Feed 1.1: one entry for each policy in force; its id changes with the edition."""
    place = place_of(school)
    feed: dict[str, Any] = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": f"Policies of {place.name}",
        "home_page_url": _whole("school", trust, place),
        "feed_url": _whole("json_feed", trust, place),
        "language": "en-GB",
        "expired": has_left(place),
        "items": [
            {
                "id": f"urn:sha256:{edition.content_hash}",
                "url": _whole("policy", trust, place, policy=policy.slug),
                "title": edition.header["title"],
                "content_text": _summary(edition, label),
                "date_published": _since(edition).isoformat(),
                **(
                    {
                        "attachments": [
                            {
                                "url": _whole("pdf", trust, place, policy=policy.slug),
                                "mime_type": "application/pdf",
                            }
                        ]
                    }
                    if edition.pdf_hash
                    else {}
                ),
            }
            for policy, edition, label in _newest_first(place)
        ],
    }
    answer = Response(json.dumps(feed, ensure_ascii=False), mimetype="application/feed+json")
    return _open_to_all(answer)


@blueprint.get(f"{ROOT}/feed.atom")
@public
def atom_feed(trust: str, school: str) -> Response:
    """The same as Atom (RFC 4287)."""
    place = place_of(school)
    lines = _newest_first(place)
    feed = Element("feed", {"xmlns": ATOM, "xml:lang": "en-GB"})
    SubElement(feed, "title").text = f"Policies of {place.name}"
    SubElement(feed, "id").text = _whole("school", trust, place)
    SubElement(feed, "link", {"rel": "self", "href": _whole("atom_feed", trust, place)})
    SubElement(feed, "link", {"rel": "alternate", "href": _whole("school", trust, place)})
    newest = max((_since(edition) for _, edition, _ in lines), default=midnight(place.joined_on))
    SubElement(feed, "updated").text = newest.isoformat()
    SubElement(SubElement(feed, "author"), "name").text = place.name
    for policy, edition, label in lines:
        entry = SubElement(feed, "entry")
        SubElement(entry, "title").text = edition.header["title"]
        SubElement(entry, "id").text = f"urn:sha256:{edition.content_hash}"
        SubElement(
            entry, "link", {"rel": "alternate", "href": _whole("policy", trust, place, policy=policy.slug)}
        )
        SubElement(entry, "updated").text = _since(edition).isoformat()
        SubElement(entry, "summary").text = _summary(edition, label)
    written = tostring(feed, encoding="utf-8", xml_declaration=True)
    return _open_to_all(Response(written, mimetype="application/atom+xml"))


def _newest_first(place: School) -> list[tuple[Policy, Edition, str]]:
    on = as_of(place)
    return sorted(lines_of(place), key=lambda line: line[1].effective_on or on, reverse=True)


#: Puts the list where the script stands. It is data and a few lines in one file: nothing is fetched, nothing is
#: evaluated, no markup is parsed, so a page's content policy only has to allow scripts from here.
_SCRIPT = """(function (data) {
  "use strict";
  var here = document.currentScript;
  var list = document.createElement("ul");
  list.className = "trustportal-policies";
  data.policies.forEach(function (policy) {
    var line = document.createElement("li");
    var link = document.createElement("a");
    link.href = policy.url;
    link.textContent = policy.title;
    line.appendChild(link);
    line.appendChild(document.createTextNode(" (edition " + policy.edition + ", since " + policy.since + ")"));
    if (policy.pdf) {
      var pdf = document.createElement("a");
      pdf.href = policy.pdf;
      pdf.textContent = "PDF";
      pdf.setAttribute("aria-label", "PDF of the " + policy.title);
      line.appendChild(document.createTextNode(" "));
      line.appendChild(pdf);
    }
    list.appendChild(line);
  });
  here.parentNode.insertBefore(list, here);
})(%s);
"""


@blueprint.get(f"{ROOT}/policies.js")
@public
def script(trust: str, school: str) -> Response:
    """The list as a script, for websites that show no frames."""
    place = place_of(school)
    data = {
        "policies": [
            {
                "title": edition.header["title"],
                "url": _whole("policy", trust, place, policy=policy.slug),
                "edition": label,
                "since": f"{edition.effective_on:%-d %B %Y}",
                "pdf": _whole("pdf", trust, place, policy=policy.slug) if edition.pdf_hash else "",
            }
            for policy, edition, label in lines_of(place)
        ]
    }
    # ASCII only, and no "<": the file says the same whatever a page takes its encoding to be.
    written = json.dumps(data, ensure_ascii=True).replace("<", "\\u003c")
    return _open_to_all(Response(_SCRIPT % written, mimetype="text/javascript"))


def _open_to_all(answer: Response) -> Response:
    """What everybody may read, programs on other sites too."""
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return cacheable(answer)
