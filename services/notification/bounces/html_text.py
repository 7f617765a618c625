"""The text of an HTML part, line by line. In linear time, whatever the tags look like."""

import re
from html import unescape

_UNSEEN = re.compile(r"<style\b|<script\b|<head\b|<!--", re.I)
_ENDS = {"<style": "</style", "<script": "</script", "<head": "</head", "<!--": "--"}
_LINE_ENDS = re.compile(
    r"<(?:br|p|/p|div|/div|tr|/tr|li|/li|h\d|/h\d|pre|/pre|hr|/table)\b[^<>]*>", re.I
)
_CELL = re.compile(r"</?t[dh]\b[^<>]*>", re.I)
# What looks like a tag and holds an address is an address whose brackets were not escaped.
_TAG = re.compile(r"<(?![^<>\s=\"']*@)[^<>]*>")


def as_text(html: str) -> str:
    """What a reader would see, with lines where the layout breaks them."""
    html = _without_unseen(html)
    if not re.search(r"<pre\b", html, re.I):
        html = " ".join(line.strip(" \t\r") for line in html.split("\n"))
    html = _TAG.sub("", _CELL.sub(" ", _LINE_ENDS.sub("\n", html)))
    return unescape(html).replace("\xa0", " ")


def _without_unseen(html: str) -> str:
    small = html.lower()
    if len(small) != len(html):  # letters whose small form is longer
        small = html
    visible: list[str] = []
    at = 0
    while (start := _UNSEEN.search(html, at)) is not None:
        visible.append(html[at : start.start()])
        end = small.find(_ENDS[start[0].lower()], start.end())
        at = html.find(">", end) + 1 if end >= 0 else 0
        if at == 0:
            return "".join(visible)
    return "".join([*visible, html[at:]])
