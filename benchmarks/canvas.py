"""Something to draw on: shapes and text, and the SVG file that they make."""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.etree import ElementTree

INK, FAINT, GRID, PAPER = "#1f2430", "#6b7280", "#e3e6ea", "#ffffff"
FONT = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"


@dataclass(frozen=True, slots=True)
class Canvas:
    """Shapes, in the order in which they are drawn; lengths are in pixels, downwards from 0."""

    shapes: ElementTree.Element = field(default_factory=lambda: ElementTree.Element("g"))

    def line(
        self,
        start: tuple[float, float],
        end: tuple[float, float],
        colour: str,
        *,
        width: float = 1,
        opacity: float = 1,
    ) -> None:
        """Draw a straight line."""
        (x1, y1), (x2, y2) = start, end
        shape = self._add("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=colour, stroke_width=width)
        if opacity < 1:
            shape.set("stroke-opacity", _shown(opacity))

    def dot(self, x: float, y: float, colour: str) -> None:
        """Draw a filled circle."""
        self._add("circle", cx=x, cy=y, r=3.6, fill=colour)

    def arrow(self, x: float, y: float, length: float, colour: str) -> None:
        """Draw a filled triangle with its tip at a point; a negative length points to the left."""
        points = f"{x:.2f},{y:.2f} {x - length:.2f},{y - 4.5:.2f} {x - length:.2f},{y + 4.5:.2f}"
        self._add("polygon", points=points, fill=colour)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        anchor: str = "start",
        colour: str = INK,
        size: float = 12,
        weight: int = 400,
    ) -> None:
        """Write a line of text, its baseline at `y`; `anchor` is as in SVG."""
        shape = self._add("text", x=x, y=y, fill=colour, font_size=size, font_weight=weight)
        shape.set("text-anchor", anchor)
        shape.text = text

    def page(self, title: str, width: float, height: float) -> str:
        """Return the file, on a background, so that it can be read on a page of any colour."""
        size = {"width": _shown(width), "height": _shown(height)}
        page = ElementTree.Element(
            "svg",
            {
                "xmlns": "http://www.w3.org/2000/svg",
                "viewBox": f"0 0 {size['width']} {size['height']}",
                **size,
                "font-family": FONT,
                "role": "img",
            },
        )
        ElementTree.SubElement(page, "title").text = title
        ElementTree.SubElement(page, "rect", {**size, "rx": "10", "fill": PAPER})
        page.append(self.shapes)
        ElementTree.indent(page)
        return ElementTree.tostring(page, encoding="unicode") + "\n"

    def _add(self, tag: str, **attributes: float | str) -> ElementTree.Element:
        shown = {name.replace("_", "-"): _shown(value) for name, value in attributes.items()}
        return ElementTree.SubElement(self.shapes, tag, shown)


def _shown(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")
