(() => { // other scripts have names of their own

// Moving bookings on the staff's timeline, by pointer and by keyboard. Both post what the form posts.

const host = document.getElementById("staff-timeline");
const said = document.getElementById("timeline-said");
const HOLD = 350; // ms before a finger lifts a block rather than scrolling
const EDGE = 48; // px from the border in which dragging scrolls

let lifted = null; // what is being moved

const announce = (text) => { said.textContent = text; };
const table = () => host.querySelector("table");
const rows = () => [...host.querySelectorAll("tbody tr")];
const instants = () => table().dataset.instants.split(" ");
const clock = (instant) => instant.slice(11, 16).replace(/^0/, "");

// Where columns are, in px from the left of the table; they are all of one width.
function columns() {
  const names = host.querySelector("tbody th").offsetWidth;
  return { names, width: (table().offsetWidth - names) / (instants().length - 1) };
}

function lift(block, mode) {
  const { start, end, step, moves } = block.dataset;
  if (!moves) return null;
  const all = rows();
  const ghost = document.createElement("div");
  ghost.className = "ghost";
  ghost.setAttribute("aria-hidden", "true");
  ghost.append(block.querySelector(".who").cloneNode(true), document.createElement("small"));
  host.querySelector(".timeline-inner").append(ghost);
  block.classList.add("lifted");
  const row = all.indexOf(block.closest("tr"));
  lifted = { block, ghost, mode, step: Number(step), begun: moves === "end", from: { row, start: Number(start), end: Number(end) } };
  lifted.to = { ...lifted.from };
  show();
  return lifted;
}

function show() {
  const { ghost, to } = lifted;
  const row = rows()[to.row];
  const { names, width } = columns();
  const inner = host.querySelector(".timeline-inner").getBoundingClientRect();
  ghost.style.insetInlineStart = `${names + to.start * width}px`;
  ghost.style.insetBlockStart = `${row.getBoundingClientRect().top - inner.top + 3}px`;
  ghost.style.inlineSize = `${(to.end - to.start) * width}px`;
  ghost.querySelector("small").textContent = words();
}

function words() {
  const { to } = lifted;
  const all = instants();
  return `${rows()[to.row].dataset.name}, ${clock(all[to.start] ?? all[0])}–${clock(all[to.end] ?? all.at(-1))}`;
}

// Sets the target, kept within the day and on the block's own steps.
function aim(row, byStart, byEnd) {
  const { from, to, step, begun } = lifted;
  const last = instants().length - 1;
  const round = (quarters) => Math.round(quarters / step) * step;
  let [start, end] = [from.start + round(byStart), from.end + round(byEnd)];
  if (begun) start = from.start;
  if (start < 0) [start, end] = [from.start, from.end];
  if (end > last || end <= start) [start, end] = [to.start, to.end];
  row = Math.max(0, Math.min(rows().length - 1, row));
  if (row === to.row && start === to.start && end === to.end) return false;
  lifted.to = { row, start, end };
  show();
  return true;
}

const isMoved = () => ["row", "start", "end"].some((name) => lifted.from[name] !== lifted.to[name]);

function putBack(text) {
  if (!lifted) return;
  lifted.ghost.remove();
  lifted.block.classList.remove("lifted");
  lifted.block.removeAttribute("aria-busy");
  lifted = null;
  if (text) announce(text);
}

async function put() {
  if (!isMoved()) return putBack(said.dataset.back);
  const { block, to } = lifted;
  const mine = lifted;
  const all = instants();
  const body = new FormData(document.getElementById("timeline-form"));
  body.set("place", rows()[to.row].dataset.place);
  body.set("starts_at", all[to.start]);
  body.set("ends_at", all[to.end]);
  body.set("seen", block.dataset.seen);
  body.set("back", "timeline");
  body.set("date", host.dataset.date);
  mine.isSent = true;
  block.setAttribute("aria-busy", "true");
  announce(said.dataset.sending);
  const url = new URL(block.href);
  url.search = "";
  let answer;
  try {
    answer = await fetch(url, { method: "POST", body, headers: { "HX-Request": "true" } });
  } catch {
    return putBack(said.dataset.failed);
  }
  const isTimeline = answer.headers.has("Data-Timeline");
  if (answer.redirected || answer.status === 403 || answer.status === 404) return location.reload();
  if (!isTimeline) return putBack(said.dataset.failed);
  lifted = null;
  replace(await answer.text(), block.dataset.code, true);
}

// Shows the timeline as it is now; the booking that was moved, or the refusal, gets the focus.
function replace(html, code, isAnswer) {
  const scroll = host.querySelector(".timeline");
  const [left, top] = scroll ? [scroll.scrollLeft, scroll.scrollTop] : [0, 0];
  host.innerHTML = html;
  window.htmx?.process(host);
  const now = host.querySelector(".timeline");
  if (now) [now.scrollLeft, now.scrollTop] = [left, top];
  const block = document.getElementById(`block-${code}`);
  const refusal = host.querySelector(".refusal h2");
  if (isAnswer) announce(host.querySelector(".alert")?.innerText ?? "");
  if (isAnswer && refusal) refusal.focus();
  else block?.focus({ preventScroll: true });
}

// --- By pointer ---------------------------------------------------------------------------------

let pressed = null; // a block that is pressed, and may be lifted yet

function begin() {
  const { block, mode } = pressed;
  clearTimeout(pressed.timer);
  if (lift(block, mode)) {
    lifted.pointer = pressed.id;
    lifted.x = pressed.x - scrolledLeft();
    lifted.y = pressed.y;
    document.body.classList.add("dragging");
  } else pressed = null;
}

const scrolledLeft = () => -(host.querySelector(".timeline")?.scrollLeft ?? 0);

host?.addEventListener("pointerdown", (event) => {
  const block = event.target.closest(".block");
  if (!block || event.button !== 0 || lifted || !block.dataset.moves) return;
  const { right } = block.getBoundingClientRect();
  const mode = right - event.clientX < 14 ? "end" : "all";
  pressed = { block, mode, id: event.pointerId, x: event.clientX, y: event.clientY };
  if (event.pointerType !== "mouse") pressed.timer = setTimeout(begin, HOLD);
  else event.preventDefault(); // no text is selected, no link dragged
  if (event.pointerType === "mouse") block.focus({ preventScroll: true });
});

document.addEventListener("pointermove", (event) => {
  if (!pressed || event.pointerId !== pressed.id) return;
  const far = Math.hypot(event.clientX - pressed.x, event.clientY - pressed.y) > 5;
  if (!lifted && far) {
    if (event.pointerType === "mouse") begin();
    else { clearTimeout(pressed.timer); pressed = null; } // it scrolls
  }
  if (!lifted || lifted.isSent || !pressed) return;
  event.preventDefault();
  scrollAtEdge(event.clientX);
  const by = (event.clientX - scrolledLeft() - lifted.x) / columns().width;
  const over = rows().findIndex((row) => {
    const { top, bottom } = row.getBoundingClientRect();
    return top <= event.clientY && event.clientY < bottom;
  });
  const row = lifted.mode === "end" || over < 0 ? lifted.to.row : over;
  aim(row, lifted.mode === "end" ? 0 : by, by);
});

function scrollAtEdge(x) {
  const scroll = host.querySelector(".timeline");
  const { left, right } = scroll.getBoundingClientRect();
  if (x > right - EDGE) scroll.scrollLeft += 12;
  else if (x < left + columns().names + EDGE) scroll.scrollLeft -= 12;
}

// A finger that has lifted a block must not scroll; before that it may.
document.addEventListener("touchmove", (event) => { if (lifted) event.preventDefault(); }, { passive: false });
document.addEventListener("contextmenu", (event) => { if (lifted || pressed?.timer) event.preventDefault(); });
host?.addEventListener("dragstart", (event) => event.preventDefault());

let suppressed = false; // the click that ends a drag opens nothing
function release(event, isPut) {
  if (!pressed || event.pointerId !== pressed.id) return;
  clearTimeout(pressed.timer);
  pressed = null;
  document.body.classList.remove("dragging");
  if (!lifted || lifted.isSent) return;
  suppressed = true;
  setTimeout(() => { suppressed = false; });
  if (isPut) put();
  else putBack(said.dataset.back);
}
document.addEventListener("pointerup", (event) => release(event, true));
document.addEventListener("pointercancel", (event) => release(event, false));
host?.addEventListener("click", (event) => {
  if (suppressed || lifted) event.preventDefault();
}, true);

// --- By keyboard --------------------------------------------------------------------------------

const ARROWS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

host?.addEventListener("keydown", (event) => {
  const block = event.target.closest(".block");
  if (!block || event.ctrlKey || event.metaKey || event.altKey) return;
  if (lifted?.isSent) return event.preventDefault();
  if (event.key === "Enter" && lifted) {
    event.preventDefault();
    put();
  } else if (event.key in ARROWS && block.dataset.moves) {
    event.preventDefault();
    const [down, right] = ARROWS[event.key];
    if (!lifted) lift(block, "keys");
    const { from, to, step, begun } = lifted;
    if (right && begun && !event.shiftKey) return announce(said.dataset.begun);
    if (down && event.shiftKey) return;
    const by = (n) => n + right * step;
    aim(to.row + down, event.shiftKey ? to.start - from.start : by(to.start - from.start), by(to.end - from.end));
    announce(words());
    lifted.ghost.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !lifted || lifted.isSent) return;
  document.body.classList.remove("dragging");
  pressed = null;
  putBack(said.dataset.back);
});
host?.addEventListener("focusout", () => { if (lifted?.mode === "keys" && !lifted.isSent) putBack(said.dataset.back); });

// --- As it is now -------------------------------------------------------------------------------

// Others move bookings too. Nothing is replaced under somebody's hands, or while a refusal is read.
setInterval(async () => {
  if (!host || document.hidden || lifted || pressed || host.querySelector(".alert")) return;
  const url = new URL(host.dataset.url, location.href);
  url.searchParams.set("date", host.dataset.date);
  let answer;
  try {
    answer = await fetch(url, { headers: { "HX-Request": "true" } });
  } catch {
    return;
  }
  if (!answer.ok || answer.redirected || !answer.headers.has("Data-Timeline")) return;
  const html = await answer.text();
  if (lifted || pressed) return;
  const next = document.createElement("template");
  next.innerHTML = html;
  if (next.content.querySelector("table")?.outerHTML === table()?.outerHTML) return;
  const focused = document.activeElement?.closest?.(".block")?.dataset.code;
  replace(html, focused, false);
}, 10_000);

host?.querySelector(".timeline") && document.querySelector(location.hash || "#none")?.focus();

})();
