"""What must hold on every page, whatever is on it."""

from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

WIDE, NARROW = (1280, 800), (390, 844)
WIDTHS = (320, 390, 1600)

FIND_VIOLATIONS = """
() => axe.run({resultTypes: ["violations"], rules: {"target-size": {enabled: true}}}).then(
  ({violations}) => violations.map(({id, impact, nodes}) => [id, impact, nodes.map((n) => n.html)])
)
"""

# WCAG 2.5.8 spares links within a line of text; the timeline is dense, and has its 24 px.
FIND_SMALL_TARGETS = """
() => [...document.querySelectorAll("a, button, select, textarea, summary, input, label.check")]
  .filter((target) => target.checkVisibility({visibilityProperty: true}))
  .filter((target) => getComputedStyle(target).display !== "inline")
  .filter((target) => !target.matches(".skip, [type=hidden], .check input"))
  .map((target) => {
    const {width, height} = target.getBoundingClientRect();
    return [target.outerHTML, width, height, target.closest(".timeline") ? 24 : 44];
  })
  .filter(([html, width, height, least]) => height < least || width < 24)
  .map(([html, width, height]) => `${Math.round(width)} x ${Math.round(height)} px: ${html}`)
"""

# All that is read or heard: texts, and the attributes that speak.
FIND_WORDS = """
() => {
  const said = [document.title];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const inside = walk.currentNode.parentElement;
    if (!inside.closest("script, style, template, [lang]:not(html), option")) {
      said.push(walk.currentNode.data);
    }
  }
  for (const name of ["aria-label", "title", "alt", "placeholder"]) {
    document.querySelectorAll(`[${name}]`).forEach((e) => said.push(e.getAttribute(name)));
  }
  return said.map((text) => text.trim()).filter(Boolean);
}
"""


def violations(page: Page) -> list[str]:
    """Return what axe finds serious or critical, wide and light, then narrow and dark."""
    # The emulation also stops transitions, whose halfway colours axe would measure.
    page.evaluate(AXE_SCRIPT)
    found: list[str] = []
    for (width, height), scheme in ((WIDE, "light"), (NARROW, "dark")):
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        for rule, impact, nodes in page.evaluate(FIND_VIOLATIONS):
            found.append(f"{scheme}, {width} px: {rule} ({impact}) {short(nodes)}")
    return found


def misfits(page: Page) -> list[str]:
    """Return the widths at which the page scrolls sideways, and what a thumb can't hit."""
    found: list[str] = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 844})
        if (needed := page.evaluate("document.documentElement.scrollWidth")) > width:
            found.append(f"scrolls sideways at {width} px: it needs {needed}")
        if width < 640:
            found += [f"{width} px: {target[:160]}" for target in page.evaluate(FIND_SMALL_TARGETS)]
    return found


def words(page: Page) -> list[str]:
    said: list[str] = page.evaluate(FIND_WORDS)
    return said


def short(nodes: list[Any]) -> str:
    return " | ".join(str(node)[:120] for node in nodes[:4])
