// Keeps the days and the waiting lists that this sign-in has looked at, to read them without a connection.
// Nothing of it outlives the sign-out, another sign-in, or half a day.

const DAYS = "mesto-days", FILES = "mesto-files", WHOSE = "/staff/worker.js?whose";
const HALF_A_DAY = 12 * 60 * 60 * 1000;

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));

const forget = () => caches.delete(DAYS);
const isDay = (url) => /^\/staff\/[-\w]+\/(waiting\/)?$/.test(url.pathname) && !url.searchParams.has("q");
// What was just done is shown once.
const nameOf = (url) => {
  const kept = new URL(url);
  kept.searchParams.delete("done");
  kept.hash = "";
  return kept.href;
};

addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin) return;
  if (event.request.mode === "navigate" && isDay(url)) event.respondWith(day(event.request, url));
  else if (url.pathname.startsWith("/static/")) event.respondWith(file(event.request));
});

async function day(request, url) {
  let answer;
  try {
    answer = await fetch(request);
  } catch (error) {
    return (await copyOf(url)) ?? Promise.reject(error);
  }
  if ([502, 503, 504].includes(answer.status)) return (await copyOf(url)) ?? answer;
  if (!answer.ok) await forget(); // signed out, or it isn't theirs any more
  return answer;
}

async function copyOf(url) {
  const copy = await (await caches.open(DAYS)).match(nameOf(url), { ignoreVary: true });
  const isOld = !copy || Date.now() - copy.headers.get("Kept-At") > HALF_A_DAY;
  return isOld ? undefined : copy;
}

async function file(request) {
  const files = await caches.open(FILES);
  try {
    const answer = await fetch(request);
    if (answer.ok && answer.type === "basic") files.put(request, answer.clone());
    return answer;
  } catch (error) {
    return (await files.match(request.url.split("#")[0], { ignoreVary: true })) ?? Promise.reject(error);
  }
}

// One after the other, or a copy that is still on its way would outlive the sign-out.
let last = Promise.resolve();
addEventListener("message", (event) => {
  last = last.then(() => told(event.data)).catch(() => {});
  event.waitUntil(last);
});

async function told({ forget: isOver, copy, keep }) {
  if (isOver) return forget();
  const days = await caches.open(DAYS);
  const whose = await days.match(WHOSE);
  if (whose && (await whose.text()) !== copy) await forget();
  const answer = await fetch(nameOf(new URL(keep, location.origin)), { credentials: "same-origin" });
  if (!answer.ok || answer.redirected) return forget();
  const page = await answer.text();
  const headers = new Headers(answer.headers);
  headers.set("Kept-At", Date.now());
  const mine = await caches.open(DAYS);
  await Promise.all([...page.matchAll(/(?:href|src)="(\/static\/[^"#]+)/g)].map(([, path]) => keepFile(path)));
  await mine.put(WHOSE, new Response(copy));
  await mine.put(nameOf(new URL(keep, location.origin)), new Response(page, { headers }));
}

// The first page's files came before there was anybody here to keep them.
async function keepFile(path) {
  const files = await caches.open(FILES);
  if (!(await files.match(path, { ignoreVary: true }))) await files.add(path);
}
