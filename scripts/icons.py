"""Make the icons and the preview picture from static/img/favicon.svg: python -m scripts.icons

Phones want bitmaps for their home screens, and so do those who show a link's preview. Needs
Chromium, as `scripts.screenshots` does.
"""

import re

from playwright.sync_api import Browser, sync_playwright

from scripts.screenshots import ROOT, launch

IMAGES = ROOT / "static/img"
GREEN = "#0b6e64"
PREVIEW = (1200, 630)  # as https://ogp.me pictures are shown


def main() -> None:
    mark = (IMAGES / "favicon.svg").read_text()
    square = re.sub(r' rx="8"', "", mark, count=1)  # whoever shows it cuts the corners
    with sync_playwright() as playwright, launch(playwright) as browser:
        for size in (192, 512):
            draw(browser, f"icon-{size}.png", (size, size), picture(mark, size))
        draw(browser, "icon-180.png", (180, 180), picture(square, 180))
        # What may be cut off by a circle is green: https://w3c.github.io/manifest/#icon-masks
        draw(browser, "icon-mask.png", (512, 512), picture(square, 410), GREEN)
        draw(browser, "preview.png", PREVIEW, picture(mark, 260) + "<b>Mesto</b>", "#fbfaf7")


def picture(svg: str, size: int) -> str:
    return svg.replace("<svg ", f'<svg width="{size}" height="{size}" ', 1)


def draw(browser: Browser, name: str, size: tuple[int, int], html: str, paper: str = "") -> None:
    width, height = size
    page = browser.new_page(viewport={"width": width, "height": height})
    page.set_content(
        f"<style>body {{ margin: 0; height: 100vh; display: flex; gap: 48px; align-items: center;"
        f" justify-content: center; background: {paper or 'transparent'};"
        f" font: 700 160px system-ui; color: #1d2327 }}</style>{html}"
    )
    page.screenshot(path=IMAGES / name, omit_background=not paper)
    page.close()


if __name__ == "__main__":
    main()
