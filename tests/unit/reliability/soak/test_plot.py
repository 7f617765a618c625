"""The picture is well-formed and shows each series in its panel."""

from xml.etree import ElementTree as ET

from reliability.soak.flat import MEGABYTES, Series
from reliability.soak.plot import draw

SVG = "{http://www.w3.org/2000/svg}"


def test_every_series_has_a_line_and_a_name() -> None:
    panels = {
        f"<group {n}>": [Series("g", f"a & {m}", MEGABYTES, (0.0, 2.0, 1.0)) for m in range(3)]
        for n in range(3)
    }
    picture = ET.fromstring(draw(panels, [0, 1, 2], "title <1>"))
    assert len(picture.findall(f"{SVG}polyline")) == 9
    words = [each.text for each in picture.findall(f"{SVG}text")]
    assert {"title <1>", "<group 2>", "a & 2"} <= set(words)


def test_nothing_but_zeros_can_be_drawn() -> None:
    series = Series("queues", "outbox", MEGABYTES, (0.0, 0.0))
    assert "polyline" in draw({"queues": [series]}, [0, 0], "t")
