"""What axe-core finds against WCAG 2.2 A and AA, and what has to be scrolled sideways."""

from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Page

RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "resultTypes": ["violations"],
}


async def violations(page: Page) -> list[str]:
    """On the page as it is now; its policy has to let axe's script in (`bypass_csp`)."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE_SCRIPT)
    # What is half scrolled below the head would be taken for a target that is too small.
    await page.evaluate("document.getElementById('page')?.scrollTo(0, 0)")
    results = await page.evaluate("rules => axe.run(rules)", RULES)
    found = [
        f"{each['id']}: {node['html'][:200]} {node['failureSummary']}"
        for each in results["violations"]
        for node in each["nodes"]
    ]
    if await page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        found.append("wider than the window")
    return found
