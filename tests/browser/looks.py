"""A page as people see it: at a size, light or dark, gone over by axe-core."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Page

from tests.browser.page import is_wide

RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "resultTypes": ["violations"],
}
Look: TypeAlias = tuple[int, int, Literal["light", "dark"]]


class Anyone:
    """Somebody at a page, and how they see it."""

    def __init__(self, page: Page, looks: Sequence[Look]) -> None:
        self.page = page
        self.looks = looks

    async def check(self) -> None:
        """In no look a violation, nor anything to be scrolled sideways."""
        for look in (*self.looks[1:], self.looks[0]):
            await self._see(look)
            if not await self.page.evaluate("'axe' in window"):
                await self.page.evaluate(AXE_SCRIPT)
            results = await self.page.evaluate("rules => axe.run(rules)", RULES)
            found = [
                f"{each['id']}: {node['html'][:200]} {node['failureSummary']}"
                for each in results["violations"]
                for node in each["nodes"]
            ]
            assert found == [], look
            assert not await is_wide(self.page), look

    async def _see(self, look: Look) -> None:
        width, height, scheme = look
        await self.page.set_viewport_size({"width": width, "height": height})
        await self.page.emulate_media(color_scheme=scheme)
