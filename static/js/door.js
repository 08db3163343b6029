// A screen at a door: asks every few seconds, says so when nobody answers, and goes by our clock.
// What it last heard is certain only for a few seconds, and never longer than it was said to be.

const EVERY = 5000, PATIENCE = 4000, CERTAIN_FOR = 15000, GONE_AFTER = 60000;

const body = document.body;
const screen_ = document.getElementById("screen");
const away = document.getElementById("away");
const clock = document.getElementById("clock");
const asOf = document.getElementById("as-of-time");
const inZone = new Intl.DateTimeFormat("en-GB", { hour: "numeric", minute: "2-digit", timeZone: body.dataset.zone });
const written = (at) => inZone.format(at).replace(/^0/, "");

// The server's time is what it said plus what has passed since. A tablet's own clock may be wrong,
// and jump; while it sleeps, the monotonic one may stand still.
let said = Date.parse(body.dataset.now), saidAt = performance.now(), wallAt = Date.now();
let heardAt = said, etag = "", isGone = false, timer = 0, asking = false;
const passed = () => Math.max(performance.now() - saidAt, Date.now() - wallAt);
const now = () => said + Math.max(0, passed());

function doubt(since = now()) {
  heardAt = Math.min(since || heardAt, now() - CERTAIN_FOR - 1);
}

function hear(response) {
  const time = Date.parse(response.headers.get("Server-Time") ?? "");
  if (time) [said, saidAt, wallAt] = [time, performance.now(), Date.now()];
  heardAt = now();
  // From a replica: what happened since then is missing.
  if (response.headers.has("Data-As-Of")) doubt(Date.parse(response.headers.get("Data-As-Of")));
  etag = response.headers.get("ETag") ?? etag;
}

function show(html) {
  const pressed = document.activeElement?.closest?.("form");
  const index = [...document.forms].indexOf(pressed);
  screen_.innerHTML = html;
  document.forms[index]?.querySelector("button")?.focus({ preventScroll: true });
}

async function ask(method = "GET", form) {
  const headers = { "X-Part": "screen" };
  if (etag && method === "GET") headers["If-None-Match"] = etag;
  const response = await fetch(location.pathname, {
    method, headers, body: form, cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(PATIENCE),
  });
  if (response.status === 404) return gone();
  if (response.status === 304) return hear(response);
  if (!response.headers.get("Server-Time")) throw new Error("somebody else answers");
  hear(response);
  show(await response.text());
  isGone = false;
}

function gone() {
  isGone = true;
}

async function poll() {
  clearTimeout(timer);
  if (asking) return;
  asking = true;
  try {
    await ask();
  } catch {
    // Nobody answers: `tick` says so once it matters.
  }
  asking = false;
  tick();
  timer = setTimeout(poll, isGone ? GONE_AFTER : EVERY);
}

function tick() {
  const at = now();
  const until = Date.parse(screen_.querySelector("[data-valid-until]")?.dataset.validUntil ?? "");
  const isAway = !isGone && (at - heardAt > CERTAIN_FOR || at >= until);
  clock.textContent = written(at);
  asOf.textContent = written(heardAt);
  body.classList.toggle("away", isAway);
  body.classList.toggle("gone", isGone);
  away.hidden = !isAway && !isGone;
  const words = isGone ? away.dataset.gone : away.dataset.words.replace("{time}", written(heardAt));
  if (!away.hidden && away.textContent !== words) away.textContent = words;
  if (isAway && !asking && at >= until) poll();
}

document.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target, button = form.querySelector("button");
  if (button.disabled) return;
  button.disabled = true;
  try {
    etag = "";
    await ask("POST", new URLSearchParams(new FormData(form)));
  } catch {
    button.disabled = false;
    doubt();
  }
  tick();
});

setInterval(tick, 1000);
addEventListener("online", poll);
addEventListener("offline", () => { doubt(heardAt); tick(); });
document.addEventListener("visibilitychange", () => { tick(); if (!document.hidden) poll(); });
addEventListener("pageshow", (event) => { if (event.persisted) { tick(); poll(); } });
const replica = document.getElementById("as-of");
if (replica) doubt(Date.parse(replica.dataset.asOf));
timer = setTimeout(poll, EVERY);
tick();
