// What JavaScript improves; everything works without it.

const byId = (id) => document.getElementById(id);

// A form that changes something is submitted once, however often its button is pressed.
document.addEventListener("submit", ({ target: form, defaultPrevented }) => {
  if (defaultPrevented || !form.matches("[data-once]")) return;
  // After this event: a disabled button would not be submitted.
  setTimeout(() => form.querySelectorAll("button").forEach((button) => { button.disabled = true; }));
});
// A page that the browser restores for its Back button must work again.
addEventListener("pageshow", () => {
  document.querySelectorAll("[data-once] button").forEach((button) => { button.disabled = false; });
});

document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-show]");
  if (!button) return;
  const field = byId(button.dataset.show);
  const isShown = field.type === "text";
  field.type = isShown ? "password" : "text";
  button.setAttribute("aria-pressed", String(!isShown));
});
// What is submitted, and remembered by the browser, is a password field again.
document.addEventListener("submit", ({ target: form }) => {
  form.querySelectorAll("[data-show]").forEach((button) => { byId(button.dataset.show).type = "password"; });
}, true);

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  if (opener && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    byId(opener.dataset.dialog).showModal();
  }
  event.target.closest("[data-dismiss]")?.closest(".alert").remove();
});

// Changing the language keeps you on the page that htmx last put in the address bar.
document.addEventListener("submit", ({ target: form }) => {
  if (form.matches(".languages") && form.elements.next.value) form.elements.next.value = location.pathname + location.search;
});

// A later start keeps the length: the end moves along. Before htmx reads the form, hence "capture".
document.addEventListener("change", ({ target: from }) => {
  const to = byId("id_to");
  if (from.id !== "id_from" || !to) return;
  // A second change may come before the server's answer to the first.
  const before = from.indexBefore ?? [...from.options].findIndex((option) => option.defaultSelected);
  from.indexBefore = from.selectedIndex;
  const last = to.options.length - 1;
  to.selectedIndex = Math.max(0, Math.min(last, to.selectedIndex + from.selectedIndex - before));
}, true);

// On wide screens the features open over the page: a click outside, or Escape, closes them.
for (const name of ["click", "keydown"]) {
  document.addEventListener(name, ({ type, key, target }) => {
    const features = document.querySelector(".features-field[open]");
    if (!features || (type === "keydown" ? key !== "Escape" : features.contains(target) || innerWidth <= 820)) return;
    if (features.contains(document.activeElement)) features.firstElementChild.focus();
    features.open = false;
  });
}

// Start the timeline at the chosen time.
function scrollTimeline() {
  const timeline = document.querySelector(".timeline");
  const chosen = timeline?.querySelector(".chosen, .now");
  if (!chosen) return;
  const names = timeline.querySelector("tbody th").offsetWidth;
  timeline.scrollLeft += chosen.getBoundingClientRect().left - timeline.getBoundingClientRect().left - names - 48;
}

// Back leads to the kind of place that was shown: an address that names none gets the one chosen last.
document.addEventListener("htmx:beforeRequest", ({ target }) => {
  const shown = target.closest(".chips")?.querySelector("[aria-current]");
  const here = new URL(location);
  if (!shown || here.searchParams.has("kind")) return;
  here.searchParams.set("kind", new URL(shown.href).searchParams.get("kind") ?? "");
  history.replaceState(history.state, "", here);
});

document.addEventListener("htmx:afterSettle", ({ detail }) => {
  if (detail.target?.id !== "results") return;
  const found = byId("found");
  byId("announcement").textContent = `${found.closest("[data-day]").dataset.day}: ${found.textContent.trim().replace(/\s+/g, " ")}`;
  scrollTimeline();
});
// When the answer is not the page that was requested, go there and see.
for (const name of ["htmx:responseError", "htmx:sendError"]) {
  document.addEventListener(name, ({ detail }) => {
    // Polling requests are repeated anyway.
    if (!detail.elt.matches("[hx-trigger^=every]")) location.assign(detail.pathInfo.finalRequestPath);
  });
}

// While no change is possible, the whole page says so: a part with other news than the page brings a new one.
const asOf = byId("as-of");
asOf?.replaceChildren(...asOf.childNodes); // announces it: what a page begins with isn't
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const news = detail.xhr.getResponseHeader("Data-As-Of") ?? "";
  if (detail.requestConfig.verb !== "get" || detail.xhr.status >= 400 || news === (asOf?.dataset.asOf ?? "")) return;
  detail.shouldSwap = false;
  location.assign(detail.pathInfo.finalRequestPath);
});

// Copying needs a secure origin; without it, or without JavaScript, people select the text.
if (navigator.clipboard) document.querySelectorAll("[data-copy]").forEach((button) => {
  const field = byId(button.dataset.copy);
  button.hidden = false;
  button.addEventListener("click", async () => {
    field.select();
    await navigator.clipboard.writeText(field.value);
    const said = button.nextElementSibling;
    said.textContent = said.dataset.copied;
  });
});

// A page that retries by itself. It has a form only if submitting it twice acts once.
const retry = document.querySelector("[data-retry-after]");
const again = () => (retry.matches("form") ? retry.requestSubmit() : location.replace(location.href));
if (retry) setTimeout(again, retry.dataset.retryAfter * 1000);

document.querySelectorAll("[data-dismiss], [data-show]").forEach((button) => { button.hidden = false; });
scrollTimeline();
