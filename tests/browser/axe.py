"""What axe-core finds against WCAG 2.2 A and AA, and what has to be scrolled sideways."""

from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Page

from tests.browser.page import is_wide

RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "resultTypes": ["violations", "incomplete"],
}
RUN = """async (rules) => {
  const results = await axe.run(rules);
  const edge = document.getElementById("page")?.getBoundingClientRect().bottom ?? Infinity;
  const bottom = ({ target }) => document.querySelector(target[0]).getBoundingClientRect().bottom;
  for (const each of results.violations) {
    if (each.id === "target-size") each.nodes = each.nodes.filter((node) => bottom(node) <= edge);
  }
  // Of letters in the very colour of what is behind them axe is not certain that they are meant.
  const unseen = ({ any: [check] }) => check?.data?.messageKey === "equalRatio";
  for (const each of results.incomplete) {
    each.nodes = each.nodes.filter(unseen);
    if (each.nodes.length) results.violations.push(each);
  }
  return results;
}"""


async def violations(page: Page) -> list[str]:
    """On the page as it is now; its policy has to let axe's script in (`bypass_csp`)."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE_SCRIPT)
    # A box that comes or goes under its eyes moves what axe measures; what is wrong is so again.
    return await _look(page) and await _look(page)


async def _look(page: Page) -> list[str]:
    # What is half scrolled below the head, or cut by the edge below, is no target too small.
    await page.evaluate("document.getElementById('page')?.scrollTo(0, 0)")
    results = await page.evaluate(RUN, RULES)
    found = [
        f"{each['id']}: {node['html'][:200]} {node['failureSummary']}"
        for each in results["violations"]
        for node in each["nodes"]
    ]
    if await is_wide(page):
        found.append("wider than the window")
    return found
