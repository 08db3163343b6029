"""What must hold on every page, whatever it shows."""

import re
from collections.abc import Sequence
from typing import Any, Literal

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, ViewportSize

# Our stylesheets change nothing above 1024 px, so that what fits WIDE fits wider screens.
WIDE = ViewportSize(width=1280, height=800)
NARROW = ViewportSize(width=390, height=844)
NARROWEST = ViewportSize(width=320, height=844)

type Scheme = Literal["light", "dark"]

# Halfway through a transition colours lack contrast. Only one of axe's rules is left out:
# Django's admin has columns without a header.
FIND_VIOLATIONS = """
async (only) => {
  document.getAnimations().forEach((animation) => animation.finish());
  const {violations} = await axe.run({
    resultTypes: ["violations"],
    ...(only.length ? {runOnly: only} : {
      rules: {"target-size": {enabled: true}, "empty-table-header": {enabled: false}},
    }),
  });
  return violations.map(({id, impact, nodes}) => [id, impact, nodes.map((node) => node.html)]);
}
"""

# How wide the page is, as it is and with everything unfolded, and what makes it that wide.
FIND_NEEDED_WIDTH = """
() => {
  const folded = [...document.querySelectorAll("main details:not([open])")];
  const before = document.documentElement.scrollWidth;
  folded.forEach((each) => each.open = true);
  const needed = Math.max(before, document.documentElement.scrollWidth);
  const wide = needed <= innerWidth ? [] : [...document.querySelectorAll("body *")]
    .filter((each) => each.getBoundingClientRect().right > innerWidth + 1)
    .map((each) => each.outerHTML);
  folded.forEach((each) => each.open = false);
  return [needed, wide.slice(-4)];
}
"""

# Axe checks the 24 px of WCAG 2.5.8; ours are thumb-sized where a thumb presses.
FIND_SMALL_TARGETS = """
() => [...document.querySelectorAll("nav a, .button, button, select, textarea, summary, input")]
  .filter((target) => target.checkVisibility({visibilityProperty: true}))
  .filter((target) => target.type !== "hidden" && !target.closest("#container"))
  .map((target) => [target.outerHTML, (target.closest(".check") ?? target).getBoundingClientRect()])
  .filter(([html, {width, height}]) => height < 44 || width < 44)
  .map(([html, {width, height}]) => `${Math.round(width)} x ${Math.round(height)} px: ${html}`)
"""

# A card hides what sticks out, so the page doesn't scroll and half a button goes unnoticed.
FIND_CUT_OFF = """
() => [...document.querySelectorAll(":is(.card, .ticket) .button")]
  .filter((button) => button.checkVisibility())
  .filter((button) => {
    const card = button.closest(".card, .ticket").getBoundingClientRect();
    const {left, right} = button.getBoundingClientRect();
    return left < card.left || right > card.right;
  })
  .map((button) => `cut off: ${button.outerHTML}`)
"""

# Everything that is read or heard: text, and attributes with text. Not what the page itself marks
# as being in another language or none.
FIND_WORDS = """
() => {
  const said = [document.title];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const inside = walk.currentNode.parentElement;
    if (!inside.closest("script, style, template, bdi, [lang]:not(html), [name=time_zone]")) {
      said.push(walk.currentNode.data);
    }
  }
  for (const name of ["aria-label", "title", "alt", "placeholder"]) {
    document.querySelectorAll(`[${name}]`).forEach((e) => said.push(e.getAttribute(name)));
  }
  document.querySelectorAll("input[type=submit][value]").forEach((e) => said.push(e.value));
  return said;
}
"""
NAMES = {"Mesto", "Loft", "Busy", "UTC", "English", "alice", "admin", "hanna", "marat"}
NAMES |= {
    "API",
    "BOOK",
    "CSV",
    "Enter",
    "Escape",
    "HTTP",
    "https",
    "ics",
    "JSON",
    "Kafka",
    "OpenAPI",
    "READ",
    "SMS",
    "RFC",
    "RU",
    "Shift",
    "TOKEN",
    "UTF",
    "WRITE",
    "email",
    "login",
    "tiers",
}
# What Django's own pages and catalogue leave in English.
OF_DJANGO = {"Search", "True", "False", "- Select an option -", "Control", "Command", "Mac", "Axes"}


def violations(
    page: Page, size: ViewportSize, scheme: Scheme, *, only: Sequence[str] = ()
) -> list[str]:
    """Return everything axe finds, even minor; or what some of its rules find."""
    page.set_viewport_size(size)
    page.emulate_media(color_scheme=scheme)
    page.evaluate(AXE_SCRIPT)
    return [
        f"{scheme}, {size['width']} px: {rule} ({impact}) {short(nodes)}"
        for rule, impact, nodes in page.evaluate(FIND_VIOLATIONS, [*only])
    ]


def misfits(page: Page, size: ViewportSize) -> list[str]:
    """Return what doesn't fit, even unfolded, and on a phone targets too small for a thumb."""
    page.set_viewport_size(size)
    width = size["width"]
    found: list[str] = []
    needed, widest = page.evaluate(FIND_NEEDED_WIDTH)
    if needed > width:
        found.append(f"scrolls sideways at {width} px: it needs {needed} {short(widest)}")
    if width < 640:
        targets = [*page.evaluate(FIND_SMALL_TARGETS), *page.evaluate(FIND_CUT_OFF)]
        found += [f"{width} px: {target[:160]}" for target in targets]
    return found


def foreign_words(page: Page) -> list[str]:
    """Return what a Russian page says in Latin letters."""
    found = set()
    for text in map(str.strip, page.evaluate(FIND_WORDS)):
        # Codes; ids of requests; what is typed as it is; addresses.
        plain = re.sub(r"[0-9a-f-]{36}|[0-9a-f]{32}|\{\w+\}|[\w.]+@[\w.]+", "", text)
        if text not in OF_DJANGO and set(re.findall("[A-Za-z]{2,}", plain)) - NAMES - OF_DJANGO:
            found.add(f"not in Russian: {text}")
    return sorted(found)


def short(nodes: list[Any]) -> str:
    return " | ".join(str(node)[:120] for node in nodes[:4])
