// What scripts add to pages that work without them. No inline script, no eval: the content policy forbids both.
import { Button, CharacterCount, Checkboxes, ErrorSummary, PasswordInput, Radios, createAll } from "govuk-frontend";
import "@github/markdown-toolbar-element";

// Each behaviour is given to an element once, however often HTMX brings its surroundings anew.
const met = new WeakSet();
function each(scope, selector, give) {
  for (const element of [...(scope.matches?.(selector) ? [scope] : []), ...scope.querySelectorAll(selector)]) {
    if (!met.has(element)) { met.add(element); give(element); }
  }
}

function enhance(scope) {
  for (const component of [Button, CharacterCount, Checkboxes, ErrorSummary, PasswordInput, Radios]) {
    createAll(component, undefined, { scope, onError() {} });
  }
  each(scope, "[data-copy]", copying);
  each(scope, "[data-only-if]", onlyIf);
  each(scope, ".prose table, .scroll", (part) => {
    if (part.scrollWidth > part.clientWidth) part.tabIndex = 0;
  });
  each(scope, "form", (form) => {
    if (form.hasAttribute("data-guard")) guard(form);
    if (form.method === "post") once(form);
  });
}

// -- questions that mean something only after one answer -----------------------------------------------------------------

function onlyIf(part) {
  const form = part.closest("form");
  const answers = part.dataset.anyOf.split(" ");
  const show = () => {
    part.hidden = ![...form.elements].some(
      (one) => one.name === part.dataset.onlyIf && one.checked && answers.includes(one.value));
  };
  form.addEventListener("change", show);
  show();
}

// -- what is read out ----------------------------------------------------------------------------------------------

function announce(words) {
  const live = document.getElementById("announcer");
  if (!live || !words) return;
  live.textContent = "";
  setTimeout(() => { live.textContent = words; }, 100);
}

// -- a button that copies an address ---------------------------------------------------------------------------------

function copying(button) {
  const words = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = "Copied";
      announce("Copied");
    } catch {
      button.textContent = "Copy it by hand, please";
    }
    setTimeout(() => { button.textContent = words; }, 3000);
  });
}

// -- forms: unsaved words are asked about, nothing is sent twice -------------------------------------------------------

const unsaved = new Set();
function guard(form) {
  form.addEventListener("input", () => unsaved.add(form));
  form.addEventListener("submit", () => unsaved.delete(form));
}
window.addEventListener("beforeunload", (event) => {
  for (const form of unsaved) if (!form.isConnected) unsaved.delete(form);
  if (unsaved.size) event.preventDefault();
});

function once(form) {
  let sent = 0;
  form.addEventListener("submit", (event) => {
    // A form that HTMX sends is guarded by HTMX; one that was refused there may be sent again at once.
    if (event.defaultPrevented || form.matches("[hx-post], [data-hx-post]")) return;
    const now = Date.now();
    if (now - sent < 3000) { event.preventDefault(); return; }
    sent = now;
    event.submitter?.setAttribute("aria-disabled", "true");
    setTimeout(() => event.submitter?.removeAttribute("aria-disabled"), 3000);
  });
}
window.addEventListener("pageshow", (event) => {
  // The browser kept the page as it was left: its buttons work again.
  if (event.persisted) document.querySelectorAll('[aria-disabled="true"]').forEach((b) => b.removeAttribute("aria-disabled"));
});

// -- finding one's way -------------------------------------------------------------------------------------------------

// The contents say where the reader is: the last heading that has passed the upper quarter of the window.
function follow() {
  const toc = document.querySelector(".toc");
  if (!toc || !("IntersectionObserver" in window)) return;
  const links = new Map();
  for (const link of toc.querySelectorAll("a[href^='#']")) {
    const part = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (part) links.set(part, link);
  }
  const passed = new Set();
  const observer = new IntersectionObserver((entries) => {
    for (const entry of entries) passed[entry.isIntersecting ? "add" : "delete"](entry.target);
    const here = [...links.keys()].filter((part) => passed.has(part)).pop();
    for (const [part, link] of links) {
      if (part !== here) { link.removeAttribute("aria-current"); continue; }
      link.setAttribute("aria-current", "true");
      if (link.offsetTop < toc.scrollTop || link.offsetTop + link.offsetHeight > toc.scrollTop + toc.clientHeight) {
        toc.scrollTop = link.offsetTop - toc.clientHeight / 2;
      }
    }
  }, { rootMargin: "1000000px 0px -75% 0px" });
  links.forEach((_, part) => observer.observe(part));
}

// The current place in a navigation that scrolls sideways is in view.
function showCurrent() {
  const current = document.querySelector(".nav a[aria-current]");
  const list = current?.closest("ul");
  if (list && current.offsetLeft + current.offsetWidth > list.clientWidth) {
    list.scrollLeft = current.offsetLeft - (list.clientWidth - current.offsetWidth) / 2;
  }
}

// An address that points into something folded unfolds it, also when it is chosen again.
function unfold() {
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const folded = target && (target.closest("details:not([open])") ?? target.querySelector(":scope > summary")?.parentElement);
  if (folded) { folded.open = true; target.scrollIntoView(); }
}
window.addEventListener("hashchange", unfold);
document.addEventListener("click", (event) => {
  if (event.target.closest?.("a[href]")?.getAttribute("href") === location.hash) unfold();
});

// -- the divergence map: a cell's redline opens beside the table --------------------------------------------------------

// One listener serves all cells, so that a map of 24,000 of them stays light; without scripts the links go to pages.
document.addEventListener("click", (event) => {
  const cell = event.target.closest?.("table[data-cells] td");
  if (!cell || event.button || event.ctrlKey || event.metaKey || event.shiftKey || !window.htmx) return;
  const table = cell.closest("table");
  const { key } = cell.parentElement.dataset;
  const { place } = table.tHead.rows[0].cells[cell.cellIndex].dataset;
  if (!key || !place) return;
  event.preventDefault();
  table.querySelector(".map__open")?.classList.remove("map__open");
  cell.classList.add("map__open");
  const panel = document.getElementById("map-panel");
  window.htmx.ajax("GET", `${table.dataset.cells}/${place}/${key}`, { target: "#map-panel", swap: "innerHTML" })
    .then(() => { panel.focus({ preventScroll: true }); panel.scrollIntoView({ block: "nearest" }); });
});

document.body.classList.add("js-enabled", "govuk-frontend-supported");
enhance(document);
follow();
showCurrent();
unfold();
announce(document.getElementById("messages")?.textContent.trim());

// -- HTMX: what comes in is enhanced, errors get the focus, news are read out --------------------------------------------

const messages = () => document.getElementById("messages");

// 409 and 422 carry the form with what is wrong, and any error may carry a message for the top of the page.
document.body.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr } = event.detail;
  if ([409, 422].includes(xhr.status) || (xhr.status >= 400 && xhr.getResponseHeader("HX-Retarget"))) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
});
document.body.addEventListener("htmx:load", (event) => {
  const brought = event.detail.elt;
  if (brought === document.body) return;
  enhance(brought);
  const summary = brought.closest?.(".govuk-error-summary") ?? brought.querySelector?.(".govuk-error-summary");
  if (summary) {
    summary.setAttribute("tabindex", "-1");
    summary.focus();
  } else if (messages()?.contains(brought)) {
    messages().focus();
  }
  announce(brought.dataset?.announce ?? brought.querySelector?.("[data-announce]")?.dataset.announce);
});
function failed(words) {
  const place = messages();
  if (!place) return;
  const note = document.createElement("div");
  note.className = "note note--stop";
  note.append(Object.assign(document.createElement("p"), { textContent: words }));
  place.replaceChildren(note);
  place.focus();
}
document.body.addEventListener("htmx:responseError", () => failed("That did not work. Reload the page and try again."));
document.body.addEventListener("htmx:sendError", () => failed("The portal cannot be reached. What you typed is still here: try again in a moment."));
