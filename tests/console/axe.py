"""What axe-core finds wrong with a page, in light and dark, at both widths; and whether it fits."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

AXE = Path(__file__).parents[2] / "src/watchkeeper/console/assets/node_modules/axe-core/axe.min.js"
RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
#: what differs with the theme and the width
LOOKS = {
    "type": "rule",
    "values": ["color-contrast", "link-in-text-block", "target-size", "scrollable-region-focusable"],
}


def violations(page: Page, rules: dict[str, object]) -> list[str]:
    """What axe-core finds wrong, with the place."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    found = page.evaluate(
        "runOnly => axe.run({runOnly, resultTypes: ['violations'], preload: false}).then(r => r.violations)",
        rules,
    )
    return [
        f"{page.url} {v['id']}: {n['target']} {n['failureSummary'].splitlines()[1].strip()}"
        for v in found
        for n in v["nodes"]
    ]


def look(page: Page) -> list[str]:
    """What is wrong with a page: by all rules on a wide screen in light, and by those that the looks change on a narrow
    one in dark. What is shown on narrow screens is shown on wide ones too, but for the menu's button."""
    page.emulate_media(reduced_motion="reduce")  # else colours are still on their way
    wrong = []
    for width, height, theme, rules in ((1280, 900, "light", RULES), (390, 844, "dark", LOOKS)):
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate("t => document.documentElement.setAttribute('data-bs-theme', t)", theme)
        page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        wrong += [f"{width} {theme} {v}" for v in violations(page, rules)]
        if page.evaluate("document.documentElement.scrollWidth") > width:
            wrong.append(f"{page.url} is wider than {width}")
    return wrong
