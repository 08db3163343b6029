// What JavaScript improves on the staff's pages; everything works without it.

(() => { // other scripts have names of their own

const day = () => document.getElementById("day");

// --- An open page stays up to date -------------------------------------------------------------

// Only what differs is replaced, so that focus, open folds and what is being typed stay.
function become(old, fresh) {
  for (const { name, value } of fresh.attributes) if (name !== "open" && old.getAttribute(name) !== value) old.setAttribute(name, value);
  for (const { name } of [...old.attributes]) if (name !== "open" && name !== "class" && !fresh.hasAttribute(name)) old.removeAttribute(name);
  let at = old.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    const same = wanted.id ? [...old.children].find((child) => child.id === wanted.id) : isLike(at, wanted) ? at : null;
    if (!same) {
      old.insertBefore(wanted, at);
      if (wanted.nodeType === Node.ELEMENT_NODE) htmx.process(wanted);
      continue;
    }
    if (same === at) at = at.nextSibling;
    else old.insertBefore(same, at);
    if (same.nodeType !== Node.ELEMENT_NODE) same.nodeValue = wanted.nodeValue;
    else if (!same.isEqualNode(wanted)) become(same, wanted);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}
const isLike = (a, b) => a && a.nodeName === b.nodeName && !a.id && !b.id && a.name === b.name;

function update(fresh) {
  const focused = document.activeElement;
  const heard = said(day());
  // What the person looks at stays where it is on the screen.
  const anchor = [...document.querySelectorAll(".visit, .group")].find((each) => each.getBoundingClientRect().top > 60);
  const top = anchor?.getBoundingClientRect().top;
  become(day(), fresh);
  if (anchor?.isConnected && scrollY) scrollBy(0, anchor.getBoundingClientRect().top - top);
  if (focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
  announce(heard);
  changed();
}
const said = (within) => new Map([...within.querySelectorAll("[data-said]")].map((row) => [row.id, row.dataset.said]));
function announce(before) {
  const status = document.getElementById("announcement");
  const news = [...said(day())].filter(([id, words]) => before.get(id) !== words).map(([, words]) => words);
  const gone = [...before.keys()].some((id) => !document.getElementById(id));
  if (news.length || gone) status.textContent = news.length && news.length <= 3 ? news.join(". ") : status.dataset.more;
}

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.elt.id === "day" && document.hidden) event.preventDefault();
});
document.addEventListener("htmx:beforeSwap", (event) => {
  const { detail } = event;
  if (detail.target?.id !== "day" || detail.xhr.status === 204 || !detail.shouldSwap) return;
  detail.shouldSwap = false;
  const answer = new DOMParser().parseFromString(detail.serverResponse, "text/html");
  const fresh = answer.getElementById("day");
  if (!fresh) return location.reload();
  if (fresh.getAttribute("hx-trigger") !== day().getAttribute("hx-trigger")) {
    // Switched off, or on again: htmx asks for as long as the element is there.
    day().replaceWith(document.importNode(fresh, true));
    return htmx.process(day());
  }
  const row = document.activeElement?.closest(".visit")?.id;
  update(document.importNode(fresh, true));
  if (row && document.activeElement === document.body) document.getElementById(row)?.focus({ preventScroll: true });
  const toast = answer.getElementById("toast");
  if (toast?.children.length) show(document.importNode(toast, true));
});

// --- What was just done, and the way back --------------------------------------------------------

let fading;
function show(fresh) {
  const toast = document.getElementById("toast");
  toast.replaceChildren(...fresh.childNodes);
  htmx.process(toast);
  fade(toast, fresh.dataset.seconds ?? 8);
}
function fade(toast, seconds) {
  clearTimeout(fading);
  fading = setTimeout(() => {
    if (toast.contains(document.activeElement)) day().focus({ preventScroll: true });
    toast.replaceChildren();
  }, seconds * 1000);
}
const toast = document.getElementById("toast");
if (toast?.children.length) fade(toast, toast.dataset.seconds ?? 8);

// Not zero: a page younger than that must take its first press.
let pressedAt = -Infinity;
// A press that didn't get through says so, and leaves the page as it is.
for (const name of ["htmx:sendError", "htmx:responseError"]) {
  document.addEventListener(name, (event) => {
    if (event.detail.elt.id !== "visits") return;
    event.stopImmediatePropagation();
    pressedAt = -Infinity;
    const words = document.createElement("p");
    words.textContent = toast.dataset.failed;
    toast.replaceChildren(words);
    fade(toast, 8);
  }, true);
}

// A second press of the same finger must not hit what the first has put in its place.
document.addEventListener("click", (event) => {
  const button = event.target.closest?.('[form="visits"]');
  if (!button || button.name === "undo") return;
  if (performance.now() - pressedAt < 600) {
    event.preventDefault();
    event.stopPropagation();
  } else pressedAt = performance.now();
}, true);

// While one press is on its way, the next ones wait. htmx would send each of them with the button that
// was pressed last, or with none if that is gone by then.
const presses = new WeakMap();
document.addEventListener("submit", (event) => {
  if (event.target.id === "visits" && event.submitter) presses.set(event, event.submitter.cloneNode());
}, true);
document.addEventListener("htmx:configRequest", ({ detail }) => {
  const pressed = presses.get(detail.triggeringEvent);
  if (!pressed) return;
  const fields = new Set([...detail.elt.querySelectorAll("input")].map(({ name }) => name));
  for (const name of [...detail.formData.keys()]) if (!fields.has(name)) detail.formData.delete(name);
  detail.formData.set(pressed.name, pressed.value);
});

// --- Without a connection ------------------------------------------------------------------------

let isOffline = false;
let asOf = day()?.dataset.asOf;
const clock = () => new Intl.DateTimeFormat(document.documentElement.lang, { hour: "numeric", minute: "2-digit", hour12: false, timeZone: day().dataset.timeZone }).format();
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (detail.elt.id !== "day") return;
  const strip = document.getElementById("offline");
  const failed = !detail.xhr.status || detail.xhr.status >= 500;
  if (!failed) asOf = clock();
  if (failed === isOffline) return;
  isOffline = failed;
  strip.hidden = !failed;
  strip.textContent = failed ? strip.dataset.words.replace("{time}", asOf) : "";
});

// The browser keeps the last page that this sign-in has seen, to read without a connection.
// At most once in ten seconds: a busy evening changes all the time.
let keeping;
function keepCopy() {
  if (!day()?.hasAttribute("hx-get") || !navigator.serviceWorker?.controller || keeping) return;
  const { controller } = navigator.serviceWorker;
  const send = () => controller.postMessage({ copy: day().dataset.signIn, keep: location.pathname + location.search });
  send();
  keeping = setTimeout(() => { keeping = null; if (stale) { stale = false; keepCopy(); } }, 10_000);
}
let stale = false;
const changed = () => { if (keeping) stale = true; else keepCopy(); };
const worker = document.querySelector("[data-worker]")?.dataset.worker;
if (worker) navigator.serviceWorker?.register(worker, { scope: "/staff/" }).then(keepCopy).catch(() => {});
navigator.serviceWorker?.addEventListener("controllerchange", keepCopy);
// Whoever signs out leaves nothing behind on a shared tablet.
document.addEventListener("submit", ({ target: form }) => {
  if (form.getAttribute("action")?.endsWith("/logout/")) navigator.serviceWorker?.controller?.postMessage({ forget: true });
}, true);

// --- The head ------------------------------------------------------------------------------------

for (const field of document.querySelectorAll("[data-submits]")) {
  field.addEventListener("change", () => { if (field.value >= "2000") field.form.requestSubmit(); });
  field.form.querySelector("[data-submits-itself]").hidden = true;
}
const zone = document.querySelector("[data-zone]");
if (zone) zone.hidden = zone.dataset.zone === Intl.DateTimeFormat().resolvedOptions().timeZone;
document.querySelectorAll("[data-print]").forEach((button) => {
  button.hidden = false;
  button.addEventListener("click", () => print());
});

// --- Keys ----------------------------------------------------------------------------------------

// Single keys can be turned off (WCAG 2.1.4), for those who speak to their computer.
const box = document.getElementById("keys-on");
const areOn = () => !/(^|; )staff_keys=off/.test(document.cookie);
if (box) {
  box.checked = areOn();
  box.addEventListener("change", () => { document.cookie = `staff_keys=${box.checked ? "on" : "off"}; path=/staff/; max-age=31536000; samesite=lax`; });
  document.querySelector("[data-keys]").hidden = false;
}
const rows = () => [...document.querySelectorAll(".visit")].filter((row) => row.checkVisibility());
function step(by) {
  const all = rows();
  const at = all.indexOf(document.activeElement.closest(".visit"));
  all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1)]?.focus();
}
const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  "/": () => document.getElementById("q").focus(),
  "?": () => document.getElementById("shortcuts").showModal(),
  u: () => document.querySelector('#toast [name="undo"]')?.click(),
};
// Letters by their place on the keyboard where the layout has others, such as the Russian one.
const letterOf = ({ key, code }) => (/^[!-~]$/.test(key) ? key : /^Key[A-Z]$/.test(code) ? code[3] : key).toLowerCase();
document.addEventListener("keydown", (event) => {
  const { target, key } = event;
  const row = target.closest?.(".visit");
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat || !box) return;
  if (target.closest("input:not([type=checkbox]), select, textarea, dialog, [contenteditable]")) return;
  const arrow = row === target && { ArrowDown: 1, ArrowUp: -1 }[key];
  if (arrow) {
    event.preventDefault();
    return step(arrow);
  }
  if (!areOn()) return;
  const letter = letterOf(event);
  const own = (within) => within?.querySelector(`[data-key~="${CSS.escape(letter)}"]`);
  const does = KEYS[letter] ?? (/^[a-z]$/.test(letter) && (own(row) ?? own(document.querySelector(".staff-links"))));
  if (!does) return;
  event.preventDefault();
  if (typeof does === "function") does();
  else does.click();
});
})();
