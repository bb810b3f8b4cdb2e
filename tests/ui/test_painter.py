"""One thread draws on all pages: how often, and what it does where a page fails, is covered, or has gone."""

import logging
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from lib.ui.shared import painter, resources
from lib.ui.shared.painter import (
    AWAY_SECONDS,
    FRAME_SECONDS,
    LOOK_PER_PAGE,
    LOOK_SECONDS,
    MOST_A_SECOND,
    PAINT_SECONDS,
    PAINTER,
    PaintedPage,
    Painter,
    frame_seconds,
)


@dataclass
class Page:
    """A page, as the painter sees it."""

    released: bool = False
    asked: bool = False
    away: bool = False
    reconnected: bool = False
    behind: bool = False
    did: list[str] = field(default_factory=list)

    def draw(self, frame: object) -> None:
        assert callable(frame)
        frame()
        self.did.append("drawn")

    def send(self) -> None:
        self.did.append("sent")

    def run_anew(self) -> None:
        self.did.append("run")


@dataclass
class Growing:
    """Something that grows; `fails` as often as it is drawn."""

    over: bool = False
    is_due: bool = True
    fails: bool = False

    def due(self, now: float, least: float) -> bool:
        return self.is_due and least >= FRAME_SECONDS

    def draw(self) -> None:
        if self.fails:
            raise ValueError


def painted(page: Page, grows: Growing, covered: bool = False) -> PaintedPage:
    made = PaintedPage(page, grows, covered)  # type: ignore[arg-type]
    made._here = made._growing = 0.0
    return made


def test_all_pages_together_draw_so_many_frames_a_second_and_no_more() -> None:
    for pages in (1, 10, 50, 500):
        assert frame_seconds(pages) >= FRAME_SECONDS
        assert pages / frame_seconds(pages) <= max(MOST_A_SECOND, 1 / FRAME_SECONDS)


def test_a_frame_is_drawn_when_it_is_due_and_the_one_before_is_on_its_way() -> None:
    page, grows = Page(behind=True), Growing()
    one = painted(page, grows)
    assert one.step(1.0, 1) and page.did == ["sent"]
    page.behind, grows.is_due = False, False
    assert one.step(1.0, 1) and page.did == ["sent"]
    grows.is_due = True
    assert one.step(1.0, 1) and page.did == ["sent", "drawn"]


def test_when_all_is_drawn_the_page_runs_anew_a_moment_later_and_then_it_is_done() -> None:
    page, grows = Page(), Growing()
    one = painted(page, grows)
    assert one.step(1.0, 1)
    grows.over = page.behind = True
    assert one.step(2.0, 1) and page.did == ["drawn", "sent"], "the last words first"
    page.behind = False
    assert one.step(2.0 + PAINT_SECONDS / 2, 1) and page.did == ["drawn", "sent"]
    assert one.step(2.0 + 2 * PAINT_SECONDS, 1) and page.did == ["drawn", "sent", "run"]
    page.asked = True
    assert not one.step(9.0, 1)


def test_under_a_dialog_it_is_drawn_and_the_page_stays() -> None:
    page, grows = Page(), Growing()
    one = painted(page, grows, covered=True)
    assert one.step(1.0, 1) and page.did == ["drawn"]
    grows.over = True
    assert not one.step(9.0, 1) and page.did == ["drawn"]


def test_who_is_away_is_waited_for_and_has_the_page_run_when_back() -> None:
    page = Page(away=True)
    one = painted(page, Growing())
    assert one.step(1.0, 1) and one.step(AWAY_SECONDS - 1, 1) and page.did == []
    page.away, page.reconnected = False, True
    assert one.step(AWAY_SECONDS, 1) and page.did == ["run"]
    page.away = True
    assert not one.step(2 * AWAY_SECONDS, 1)


def test_a_page_that_a_run_draws_anew_is_let_go() -> None:
    page = Page()
    one = painted(page, Growing())
    one.release()
    assert page.released and not one.step(1.0, 1) and page.did == []


def test_after_a_look_that_took_long_the_painter_rests_as_long(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    slept: list[float] = []
    looks = iter([(1, 0.001), (50, 0.001), (1, 0.5), (0, 0.0)])
    one = Painter()

    def look() -> int:
        pages, took = next(looks)
        now[0] += took
        return pages

    monkeypatch.setattr(one, "_look", look)
    monkeypatch.setattr(painter, "time", SimpleNamespace(monotonic=lambda: now[0], sleep=slept.append))
    one._run()
    assert slept == pytest.approx([LOOK_SECONDS, 50 * LOOK_PER_PAGE, 0.5])


def test_when_the_house_closes_nothing_is_drawn_any_more_and_no_page_runs_anew() -> None:
    page = Page()
    PAINTER._pages["tab"] = painted(page, Growing(over=True))
    resources.close()
    assert page.released and not PAINTER._pages


def test_a_page_that_can_t_be_drawn_on_is_told_of_once_and_runs_anew_at_the_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    page, grows = Page(), Growing(fails=True)
    one = painted(page, grows)
    with caplog.at_level(logging.ERROR):
        assert one.step(1.0, 1) and one.step(2.0, 1)
    assert len(caplog.records) == 1 and page.did == []
    grows.over = True
    assert one.step(9.0, 1) and page.did == ["run"]
