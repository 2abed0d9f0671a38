"""What the benchmarks make of numbers: which ratios they tell, and how they show them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

from benchmarks import picture
from benchmarks.cases import Outcome
from benchmarks.circumstances import Circumstances
from benchmarks.errors import BenchmarkError
from benchmarks.measurement import AtLeast, AtMost, Comparison, behind, compare, take_turns
from benchmarks.pgbench import rate
from benchmarks.spread import MEANINGLESS, Spread
from benchmarks.summary import Summary, ratio

if TYPE_CHECKING:
    from benchmarks.measurement import Rounds, Target, Unit

SVG = "{http://www.w3.org/2000/svg}"


def of_rounds(
    *values: float,
    contestant: str = "rollups",
    unit: Unit = "tps",
    target: Target | None = None,
) -> Comparison:
    return Comparison(
        what="1 client",
        contestant=contestant,
        baseline="no trigger",
        unit=unit,
        values=values,
        baseline_values=(1.0,) * len(values),
        target=target,
    )


def told(*comparisons: Comparison, skipped: str = "", failed: str = "") -> Summary:
    return Summary(
        circumstances=Circumstances(
            date="2026-01-02",
            server_version="18.4",
            settings={"fsync": "off"},
            machine="x86_64",
            cores=2,
            command="python -m benchmarks",
        ),
        outcomes=[
            Outcome(case="one-row", comparisons=comparisons),
            Outcome(case="left-out", skipped=skipped),
            Outcome(case="broken", failed=failed),
        ],
        absent={"pg_ivm": "pg_ivm is not installed on this server"},
    )


def drawn(summary: Summary) -> ElementTree.Element:
    return ElementTree.fromstring(picture.draw(summary))


def texts(page: ElementTree.Element) -> list[str]:
    return [one.text or "" for one in page.iter(f"{SVG}text")]


def test_a_spread_is_five_numbers_of_the_rounds() -> None:
    spread = Spread.of([3.0, 1.0, 5.0, 2.0, 4.0])
    assert (spread.lowest, spread.lower, spread.median) == (1, 2, 3)
    assert (spread.upper, spread.highest, spread.rounds) == (4, 5, 5)
    assert spread.relative == pytest.approx(2 / 3)


def test_rounds_that_disagree_tell_no_ratio() -> None:
    noisy = of_rounds(0.5, 0.7, 1.0, 1.3, 1.5, target=AtLeast(limit=0.6))
    assert noisy.spread.relative > MEANINGLESS
    assert noisy.spread.is_meaningless
    assert noisy.ratio is None
    assert noisy.verdict == ""
    assert ratio(noisy) == "too noisy (quartiles 60% apart)"


def test_rounds_that_agree_tell_their_median() -> None:
    calm = of_rounds(0.9, 0.95, 1.0, 1.05, 1.1)
    assert not calm.spread.is_meaningless
    assert calm.ratio == 1.0
    assert ratio(calm) == "1.00 (0.90 - 1.10)"


def test_a_spread_at_the_limit_still_tells_a_ratio() -> None:
    just = Spread(rounds=5, lowest=0, lower=0, median=1, upper=MEANINGLESS, highest=9)
    assert not just.is_meaningless


def test_one_disturbed_round_of_seven_spoils_nothing() -> None:
    assert of_rounds(1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 9.0).ratio == 1.0


@pytest.mark.parametrize(
    ("values", "said"), [((0.7,), "0.70 (1 round)"), ((0.5, 1.5), "1.00 (2 rounds)")]
)
def test_too_few_rounds_are_told_as_such_and_not_judged(
    values: tuple[float, ...], said: str
) -> None:
    few = of_rounds(*values, target=AtLeast(limit=0.6))
    assert not few.spread.is_known
    assert not few.spread.is_meaningless
    assert few.verdict == ""
    assert ratio(few) == said


@pytest.mark.parametrize(
    ("target", "verdict"),
    [
        (AtLeast(limit=0.8), "met"),
        (AtLeast(limit=0.81), "missed"),
        (AtMost(limit=0.8), "met"),
        (AtMost(limit=0.79), "missed"),
    ],
)
def test_a_target_is_met_up_to_its_limit(target: Target, verdict: str) -> None:
    assert of_rounds(0.8, 0.8, 0.8, target=target).verdict == verdict


@pytest.mark.parametrize(("unit", "verdict"), [("tps", "met"), ("s", "missed")])
def test_which_one_is_behind_depends_on_what_is_better(unit: Unit, verdict: str) -> None:
    numbers: Rounds = {
        "no trigger": (10.0, 10.0, 10.0),
        "rollups": (5.0, 6.0, 7.0),
        "row trigger": (4.5, 5.5, 7.2),
    }
    targets = behind("rollups", numbers, ["row trigger"])
    [ours, theirs] = compare("8 clients", unit, numbers, targets)
    assert ours.verdict == ""
    assert str(theirs.target) == "behind rollups"
    assert theirs.verdict == verdict


def test_contestants_take_turns_in_an_order_that_alternates() -> None:
    order: list[str] = []

    def turn(name: str) -> float:
        order.append(name)
        return float(len(order))

    numbers = take_turns(2, {"a": lambda: turn("a"), "b": lambda: turn("b")})
    assert "".join(order) == "abba"
    assert numbers == {"a": (1.0, 4.0), "b": (2.0, 3.0)}


def test_a_ratio_that_means_nothing_stands_nowhere() -> None:
    summary = told(of_rounds(0.511, 0.711, 1.011, 1.311, 1.511))
    [result] = summary.document()["results"]
    assert result["ratio"] is None
    assert result["ratios"] is None
    assert result["is_too_noisy"]
    assert "1.01" not in summary.markdown()
    assert "too noisy" in texts(drawn(summary))
    assert "1.01" not in texts(drawn(summary))
    assert not list(drawn(summary).iter(f"{SVG}polygon"))


def test_what_was_skipped_or_failed_is_told() -> None:
    summary = told(skipped="there is no pgbench", failed="out of disk")
    document = json.loads(json.dumps(summary.document()))
    assert document["skipped"] == {
        "pg_ivm": "pg_ivm is not installed on this server",
        "left-out": "there is no pgbench",
    }
    assert document["failed"] == {"broken": "out of disk"}
    assert "skipped: pg_ivm: pg_ivm is not installed on this server" in summary.markdown()
    assert "failed: broken: out of disk" in texts(drawn(summary))


def test_the_picture_has_a_line_for_each_comparison() -> None:
    page = drawn(
        told(
            of_rounds(0.5, 0.5, 0.5, target=AtLeast(limit=0.6)),
            of_rounds(0.7, 0.7, 0.7, contestant="a < b & c", target=AtMost(limit=1.2)),
            of_rounds(0.9, contestant="once"),
        )
    )
    shown = texts(page)
    assert {"rollups", "a < b & c", "once", "0.50", "0.70", "missed", "met", "1 round"} < {*shown}
    assert float(page.attrib["height"]) > 100


def test_a_ratio_beyond_the_picture_is_an_arrow_with_its_number() -> None:
    page = drawn(told(of_rounds(300.0, 300.0, 300.0), of_rounds(0.001, 0.001, 0.001)))
    tips = [float(one.attrib["points"].split(",")[0]) for one in page.iter(f"{SVG}polygon")]
    assert {"300", "0.001"} < {*texts(page)}
    assert tips[0] > picture.RIGHT
    assert tips[1] < picture.LEFT


def test_the_picture_says_what_it_shows_and_fits_light_and_dark_pages() -> None:
    page = drawn(told(of_rounds(0.5, 0.5, 0.5, target=AtLeast(limit=0.6)), of_rounds(0.7)))
    said = {one.get("id"): one.text or "" for one in page if one.get("id")}
    assert page.attrib["aria-labelledby"].split() == list(said)
    assert said["title"] == picture.TITLE
    assert said["desc"].startswith("2 ratios ")
    assert said["desc"].endswith(" Targets met: 0, missed: 1.")
    assert "(prefers-color-scheme: dark)" in (page.findtext(f"{SVG}style") or "")


def test_the_picture_of_a_run_that_measured_nothing_is_still_one() -> None:
    assert picture.TITLE in texts(drawn(told()))


def test_a_rate_is_that_of_the_second_half_while_all_clients_are_at_work() -> None:
    """Two clients take a second each time, once settled; the second one leaves off before."""
    ends = [(0, 10, 0), (1, 11, 0), (0, 12, 0), (1, 12, 500_000)]
    ends += [(0, 13, 0), (0, 14, 0), (0, 15, 0)]
    log = [f"{client} 1 1000000 0 {second} {part}" for client, second, part in ends]
    assert rate(log, together=True) == pytest.approx(4 / 3)  # of 12.0 to 15.0
    assert rate(log, together=False) == pytest.approx(2 / 1.5)  # of 11.0 to 12.5
    early = ["2 1 1000000 0 10 500000", *log]  # it has finished before half is done
    assert rate(early, together=False) == pytest.approx(1 / 0.5)  # of 10.0 to 10.5
    assert rate(log[:1], together=False) == pytest.approx(1)
    with pytest.raises(BenchmarkError, match="failed"):
        rate([*log, "1 5 failed 0 15 0"], together=True)
