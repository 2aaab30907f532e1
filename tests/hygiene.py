"""What every page of the portal must be, whatever it shows. The test client asks this of each HTML answer."""

from __future__ import annotations

from collections import Counter
from html.parser import HTMLParser

_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
_CLOSES_ITSELF = {"li", "dt", "dd", "tr", "td", "th", "option", "thead", "tbody", "p", "html", "head", "body"}
_NOT_IN_P = {
    *(
        "address",
        "article",
        "aside",
        "blockquote",
        "details",
        "div",
        "dl",
        "fieldset",
        "figure",
        "footer",
        "form",
    ),
    *(
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "ul",
    ),
}
_INTERACTIVE = {"a", "button", "input", "select", "textarea", "label"}
_PARENTS = {
    "li": {"ul", "ol", "menu"},
    "dt": {"dl", "div"},
    "dd": {"dl", "div"},
    "tr": {"table", "thead", "tbody", "tfoot"},
    "td": {"tr"},
    "th": {"tr"},
    "option": {"select", "optgroup", "datalist"},
    "legend": {"fieldset"},
    "summary": {"details"},
}
_UNFIT = {"ul": {"li"}, "ol": {"li"}, "dl": {"dt", "dd", "div"}, "tr": {"td", "th"}}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.stack: list[str] = []
        self.faults: list[str] = []
        self.counts: Counter[str] = Counter()
        self.ids: Counter[str] = Counter()
        self.labels: set[str] = set()
        self.referenced: set[str] = set()
        self.fields: list[tuple[str, dict[str, str | None], bool]] = []
        self.text_of: dict[str, str] = {"title": "", "h1": ""}
        self.names: list[tuple[str, str]] = []
        self.levels: list[int] = []
        self.lang: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        where = f"<{tag}> at line {self.getpos()[0]}"
        if len(found) != len(attrs):
            self.faults.append(f"{where} has an attribute twice")
        self.counts[tag] += 1
        if tag == "html":
            self.lang = found.get("lang")
        if tag[0] == "h" and tag[1:].isdigit():
            self.levels.append(int(tag[1:]))
        for name, value in attrs:
            if name.startswith("on") or name.startswith("hx-on"):
                self.faults.append(f"{where} has an inline handler {name}")
            if name == "style":
                self.faults.append(f"{where} has a style attribute")
            if name == "id":
                if not value or " " in value:
                    self.faults.append(f"{where} has an unusable id {value!r}")
                self.ids[value or ""] += 1
            if name in {"aria-labelledby", "aria-describedby", "aria-controls"} and value:
                self.referenced.update(value.split())
            if name in {"href", "src", "action"} and (value or "").strip().lower().startswith("javascript:"):
                self.faults.append(f"{where} runs script from an address")
        if (
            tag == "script"
            and not found.get("src")
            and found.get("type") not in {"application/json", "text/template"}
        ):
            self.faults.append(f"{where} is inline script")
        if tag == "style":
            self.faults.append(f"{where} is inline style")
        if tag == "img" and "alt" not in found:
            self.faults.append(f"{where} has no alt")
        if tag == "label" and found.get("for"):
            self.labels.add(found["for"] or "")
        if tag in {"select", "textarea"} or (
            tag == "input" and found.get("type") not in {"hidden", "submit", "button", "image", "reset"}
        ):
            self.fields.append((where, found, "label" in self.stack))
        if "p" in self.stack and tag in _NOT_IN_P:
            self.faults.append(f"{where} stands inside a <p>")
        if tag in {"a", "button"} and {"a", "button"} & set(self.stack):
            self.faults.append(f"{where} stands inside a link or button")
        if tag in {"form", "main", "label"} and tag in self.stack:
            self.faults.append(f"{where} stands inside another")
        parent = self.stack[-1] if self.stack else ""
        if tag in _PARENTS and self.stack and parent not in _PARENTS[tag]:
            self.faults.append(f"{where} stands in a <{parent}>")
        if parent in _UNFIT and tag not in {*_UNFIT[parent], "script", "template"}:
            self.faults.append(f"{where} stands directly in a <{parent}>")
        if tag not in _VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID and self.stack and self.stack[-1] == tag:
            self.stack.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            return
        if tag not in self.stack:
            self.faults.append(f"</{tag}> at line {self.getpos()[0]} closes nothing")
            return
        while self.stack:
            last = self.stack.pop()
            if last == tag:
                return
            if last not in _CLOSES_ITSELF or last in {"p", "li"}:
                self.faults.append(f"<{last}> is open when </{tag}> comes at line {self.getpos()[0]}")

    def handle_data(self, data: str) -> None:
        for tag in ("title", "h1"):
            if tag in self.stack and "svg" not in self.stack:
                self.text_of[tag] += data
        if not {"script", "style"} & set(self.stack):
            for mark in ("{{", "{%", "None None", "Undefined"):
                if mark in data and not {"code", "pre", "textarea", "del", "ins"} & set(self.stack):
                    self.names.append((mark, data.strip()[:60]))


def faults_of(html: str, *, fragment: bool = False) -> list[str]:
    """What is wrong with a page (or a fragment of one), in words; an empty list is a good page."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    faults = list(reader.faults)
    faults += [f"<{tag}> is never closed" for tag in reader.stack if tag not in _CLOSES_ITSELF]
    faults += [f"the id {name!r} stands {count} times" for name, count in reader.ids.items() if count > 1]
    for where, found, inside in reader.fields:
        labelled = found.get("id") in reader.labels or found.get("aria-label") or found.get("aria-labelledby")
        if not inside and not labelled:
            faults.append(f"{where} named {found.get('name')!r} has no label")
    if fragment:
        return faults
    if reader.counts["h1"] != 1:
        faults.append(f"the page has {reader.counts['h1']} h1")
    elif not reader.text_of["h1"].strip():
        faults.append("the h1 is empty")
    if not reader.text_of["title"].strip():
        faults.append("the page has no title")
    if reader.lang != "en-GB":
        faults.append("the page does not say that it is English")
    if reader.counts["main"] != 1:
        faults.append(f"the page has {reader.counts['main']} <main>")
    faults += [f"nothing has the id {name!r}" for name in reader.referenced - set(reader.ids)]
    for before, after in zip(reader.levels, reader.levels[1:], strict=False):
        if after > before + 1:
            faults.append(f"a heading of level {after} follows one of level {before}")
    return faults
