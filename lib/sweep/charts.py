"""Draws a measure against temperature as SVG: a panel for each model, with its mean, the spread of its repeats, and the
other models' means behind it, so that twelve models can be read as well as one."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from lib.core.i18n import N_, Texts
from lib.sweep.measures import Measure, Spread
from lib.sweep.study import Setting, Study
from lib.sweep.verdict import model_name, temperature_name, variant_name

WIDTH, HEIGHT = 320, 208
LEFT, RIGHT, TOP, BOTTOM = 56, 14, 42, 30
GAP, BESIDE = 12, 6
OTHERS = N_("The grey lines are the other models.")
"""Said below panels where there are several."""
LINES = (0.0, 0.5, 1.0)
"""Where lines go across, as parts of the height."""
LONGEST_NAME = 40
LETTER = 6.5
"""About how wide one letter of a label is, at its usual size."""
SIZE, LARGE = 11, 16
"""How large letters are in a panel, and how large where it is looked at from afar."""
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'PingFang SC', 'Microsoft YaHei', sans-serif"


@dataclass(frozen=True, slots=True)
class Look:
    """Colours: of words, of axes and of what stands behind, of the line, and of the paper."""

    ink: str
    quiet: str
    line: str
    paper: str


LIGHT = Look("#2b2622", "#6f655b", "#9a4a1f", "#ffffff")
DARK = Look("#efe8df", "#a59a8e", "#e08a55", "#1b1816")
Points = Mapping[float | None, Spread]
"""A model's values by temperature."""


def panels(study: Study, measure: Measure, texts: Texts, look: Look = LIGHT, size: int = SIZE) -> list[str]:
    """A chart for each model that has values; empty where none has."""
    series = [
        (line_name(study, line, texts), points) for line in study.lines.values() if (points := _points(line, measure))
    ]
    scale = Scale.of(
        study.temperatures,
        [points for _name, points in series],
        lambda value: _width(measure.written(value, texts), size),
    )
    panel = _Panel(scale, measure, texts, look, size)
    return [
        panel.svg(name, points, [others for _name, others in series if others is not points]) for name, points in series
    ]


def explained(study: Study, measure: Measure, texts: Texts) -> str:
    """What a measure is, in words; "" where there is nothing to say: how Chinese is counted, of texts without any."""
    return "" if measure.name == "length" and not study.has_chinese else texts.one(measure.help)


def picture(study: Study, measure: Measure, texts: Texts, look: Look = LIGHT) -> str:
    """All panels of a measure as one SVG file, below its name; "" where there is no value."""
    drawn = panels(study, measure, texts, look)
    if not drawn:
        return ""
    columns, title = min(len(drawn), 3), _safe(texts.one(measure.label))
    wide, high = columns * (WIDTH + GAP) + GAP, -(-len(drawn) // columns) * (HEIGHT + GAP) + 44
    places = [(GAP + at % columns * (WIDTH + GAP), 44 + at // columns * (HEIGHT + GAP)) for at in range(len(drawn))]
    placed = [f'<g transform="translate({x} {y})">{one}</g>' for (x, y), one in zip(places, drawn, strict=True)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}" viewBox="0 0 {wide} {high}" '
        f'font-family="{FONT}"><rect width="{wide}" height="{high}" fill="{look.paper}"/>'
        f'<text x="{GAP}" y="28" font-size="16" font-weight="600" fill="{look.ink}">{title}</text>'
        f"{''.join(placed)}</svg>"
    )


def without_values(study: Study, measure: Measure, texts: Texts) -> list[str]:
    """The names of those models of which a measure is not known."""
    return [line_name(study, line, texts) for line in study.lines.values() if not _points(line, measure)]


def line_name(study: Study, line: Sequence[Setting], texts: Texts) -> str:
    """A model's name; where one thing further was varied, with its value."""
    model, varied = model_name(study.plan, line[0].model), variant_name(study.plan, line[0].variant, texts)
    return f"{model} · {varied}" if varied else model


def _points(line: Sequence[Setting], measure: Measure) -> Points:
    return {one.temperature: found for one in line if (found := one.measure(measure.name)) is not None}


@dataclass(frozen=True, slots=True)
class Scale:
    """Where a temperature and a value stand in a panel, and how far from the left the lines across begin; the same for
    all of a measure's panels."""

    across: Mapping[float | None, float]
    top: float
    left: float = LEFT

    @classmethod
    def of(
        cls, temperatures: Sequence[float | None], series: Sequence[Points], wide: Callable[[float], float]
    ) -> "Scale":
        """The scale for these temperatures and all values at them; a value's label is so `wide`."""
        highest = max((one.high for points in series for one in points.values()), default=1.0)
        top = _nice(highest)
        left = max(LEFT, *(wide(top * part) + 2 * BESIDE for part in LINES))
        return cls(_across(temperatures, left), top, left)

    def y(self, value: float) -> float:
        """The height of a value, in the panel's units from above."""
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / self.top


def _across(temperatures: Sequence[float | None], left: float) -> dict[float | None, float]:
    """Temperatures as far from each other as their numbers are; those that are not sent stand first."""
    width = WIDTH - left - RIGHT
    numbers = [value for value in temperatures if value is not None]
    start, end = (min(numbers), max(numbers)) if numbers else (0.0, 0.0)
    if len(temperatures) == 1 or start == end:
        return {value: left + width * (at + 1) / (len(temperatures) + 1) for at, value in enumerate(temperatures)}
    inset = 14
    return {
        value: left + inset + (0 if value is None else (width - 2 * inset) * (value - start) / (end - start))
        for value in temperatures
    }


def _nice(highest: float) -> float:
    """The next round number: 1, 1.2, 1.6, 2, 3, 4, 5, 6, 8, 10, 12 ..."""
    if highest <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(highest))
    return next(step * power for step in (1, 1.2, 1.6, 2, 3, 4, 5, 6, 8, 10) if step * power >= highest * 0.999)


@dataclass(frozen=True, slots=True)
class _Panel:
    scale: Scale
    measure: Measure
    texts: Texts
    look: Look
    size: int

    def svg(self, name: str, points: Points, others: Sequence[Points]) -> str:
        longest = LONGEST_NAME * SIZE // self.size
        short = name if len(name) <= longest else name[: longest - 1] + "…"
        written = f'font-size="{self.size + 2}" font-weight="600" fill="{self.look.ink}"'
        inside = [
            f"<title>{_safe(self._in_words(name, points))}</title>",
            f'<text x="8" y="{self.size + 7}" {written}>{_safe(short)}</text>',
            *self._grid(),
            *(self._line(one, self.look.quiet, 1, 0.35) for one in others),
            *self._spread(points),
            self._line(points, self.look.line, 2.2, 1),
            *self._dots(points),
        ]
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
            f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="{FONT}">{"".join(inside)}</svg>'
        )

    def _in_words(self, name: str, points: Points) -> str:
        """What the panel shows, for those who can't see it."""
        colon, comma = map(self.texts.one, (": ", ", "))
        means = [
            f"{temperature_name(at)}{colon}{self.measure.written(one.mean, self.texts)}" for at, one in points.items()
        ]
        return f"{name}{colon}{comma.join(means)}"

    def _grid(self) -> list[str]:
        """Three lines across with their values, and the temperatures below."""
        drawn, left = [], self.scale.left
        for part in LINES:
            y = self.scale.y(self.scale.top * part)
            drawn.append(
                f'<line x1="{left:.0f}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{self.look.quiet}" '
                f'stroke-opacity="{0.7 if part == 0 else 0.25}"/>'
            )
            drawn.append(
                self._text(left - BESIDE, y + 4, self.measure.written(self.scale.top * part, self.texts), "end")
            )
        last = -math.inf
        for value, x in sorted(self.scale.across.items(), key=lambda one: one[1]):
            if x - last >= 20 * self.size / SIZE:
                drawn.append(self._text(x, HEIGHT - BOTTOM + 17, temperature_name(value), "middle"))
                last = x
        return drawn

    def _spread(self, points: Points) -> list[str]:
        """From the lowest to the highest value at each temperature, joined to an area where there are several."""
        placed = self._placed(points)
        bars = [
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{self.scale.y(one.low):.1f}" y2="{self.scale.y(one.high):.1f}" '
            f'stroke="{self.look.line}" stroke-opacity="0.45" stroke-width="1.5"/>'
            for x, one in placed
        ]
        edge = [(x, one.high) for x, one in placed] + [(x, one.low) for x, one in reversed(placed)]
        corners = " ".join(f"{x:.1f},{self.scale.y(value):.1f}" for x, value in edge)
        return [f'<polygon points="{corners}" fill="{self.look.line}" fill-opacity="0.16"/>', *bars]

    def _line(self, points: Points, colour: str, width: float, opacity: float) -> str:
        path = " ".join(f"{x:.1f},{self.scale.y(one.mean):.1f}" for x, one in self._placed(points))
        return (
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}" '
            f'stroke-opacity="{opacity}" stroke-linejoin="round"/>'
        )

    def _dots(self, points: Points) -> list[str]:
        drawn, free = [], -math.inf
        for x, one in self._placed(points):
            y, label = self.scale.y(one.mean), self.measure.written(one.mean, self.texts)
            drawn.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.6" fill="{self.look.line}"/>')
            half = _width(label, self.size) / 2
            # Beside the numbers of the lines across, and inside the picture.
            middle = min(max(x, self.scale.left + half), WIDTH - half)
            if middle - half > free:
                free = middle + half
                drawn.append(self._text(middle, max(y - 9, TOP - 6), label, "middle", self.look.ink, self.look.paper))
        return drawn

    def _placed(self, points: Points) -> list[tuple[float, Spread]]:
        return sorted(((self.scale.across[at], one) for at, one in points.items()), key=lambda place: place[0])

    def _text(self, x: float, y: float, words: str, anchor: str, colour: str = "", halo: str = "") -> str:
        behind = f' stroke="{halo}" stroke-width="3" paint-order="stroke"' if halo else ""
        return (
            f'<text x="{x:.1f}" y="{y:.1f}" font-size="{self.size}" text-anchor="{anchor}"{behind} '
            f'fill="{colour or self.look.quiet}">{_safe(words)}</text>'
        )


def _width(label: str, size: int) -> float:
    """About how wide a label is, in the picture's units."""
    return LETTER * size / SIZE * len(label)


def _safe(text: str) -> str:
    """A foreign name in XML, which has no place for control characters."""
    return escape("".join(sign if sign.isprintable() or sign == "\u00a0" else " " for sign in text))
