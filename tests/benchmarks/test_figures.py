from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import judging, rules, working_time
from benchmarks.corpus import Word
from benchmarks.figures import Spread, percentile, ratio, size_of, size_word, spread
from benchmarks.importing import Imported
from benchmarks.process import Ran
from benchmarks.queues import ViewTimes
from benchmarks.searching import Query, Recall, SearchTimes
from benchmarks.table import Row, as_markdown
from benchmarks.tickets import Work


def test_percentile_is_the_nearest_rank() -> None:
    values = [float(number) for number in range(1, 101)]
    assert percentile(values, 95) == 95
    assert percentile(values, 50) == 50
    assert percentile([3.0, 1.0, 2.0], 95) == 3
    assert percentile([3.0, 1.0, 2.0], 1) == 1
    assert percentile([7.0], 50) == 7


def test_percentile_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 95)


def test_spread_does_not_need_order() -> None:
    assert spread([4.0, 1.0, 3.0, 2.0]) == Spread(2.5, 4.0, 4)


def test_ratio_needs_both_sides() -> None:
    assert ratio(3.0, 2.0) == 1.5
    assert ratio(None, 2.0) is None
    assert ratio(3.0, None) is None
    assert ratio(3.0, 0.0) is None


@pytest.mark.parametrize(
    ("word", "size"), [("500", 500), ("1k", 1000), ("100K", 100_000), ("2m", 2_000_000)]
)
def test_sizes_are_read(word: str, size: int) -> None:
    assert size_of(word) == size
    assert size_of(size_word(size)) == size


@pytest.mark.parametrize("word", ["", "k", "-5", "1.5k", "many", "0"])
def test_what_is_no_size_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match="is not a size"):
        size_of(word)


def _imported(program: str, *walls: float, memory: float = 100.0) -> Imported:
    return Imported(program, tuple(Ran(0, wall, wall, memory, memory, "") for wall in walls))


def test_import_is_judged_by_the_median_rate() -> None:
    found = [_imported("deskhand", 5.0, 4.0, 60.0), _imported("notmuch", 10.0, 12.0, 9.0)]
    rate, _cpu, memory = judging.import_rows(
        100_000, found, [_imported("deskhand", 1.0, memory=80.0)], judged=True
    )
    assert rate.figures == {"deskhand": "20000", "notmuch": "10000"}
    assert (rate.measured, rate.met) == ("2.00 x", True)
    assert (memory.measured, memory.met) == ("1.25 x", True)


def test_import_that_is_too_slow_or_grows_misses_its_goal() -> None:
    found = [_imported("deskhand", 6.0, memory=140.0), _imported("notmuch", 10.0)]
    rate, _cpu, memory = judging.import_rows(
        100_000, found, [_imported("deskhand", 1.0, memory=100.0)], judged=True
    )
    assert rate.met is False
    assert memory.met is False


def test_without_a_peer_nothing_is_judged() -> None:
    rate, _cpu, memory = judging.import_rows(1000, [_imported("deskhand", 5.0)], (), judged=True)
    assert rate.goal
    assert rate.met is None
    assert memory.met is None


def test_only_common_words_have_a_goal() -> None:
    quick, slow = Spread(0.1, 0.2, 3), Spread(3.0, 4.0, 3)
    times = [
        SearchTimes(Query("common", "refund", True), 200, quick, quick, quick, 200, slow),
        SearchTimes(Query("rare", "zirconquokka", False), 3, quick, quick, quick, 3, slow),
    ]
    rows = judging.search_rows(1000, times, judged=True)
    assert [row.met for row in rows] == [True, None, None, None, None, None]
    assert rows[0].measured == "0.05 x"


def test_a_message_that_is_not_found_misses_the_goal() -> None:
    rows = judging.recall_rows(
        10,
        [Recall(Word("ja", "返金"), 5, 5, 0, None), Recall(Word("de", "Rechnung"), 5, 4, 5, 5)],
    )
    assert [row.met for row in rows] == [True, False]
    assert rows[0].figures == {"deskhand": "5 of 5", "notmuch": "0 of 5"}


def test_a_view_is_judged_by_its_95th_percentile() -> None:
    views = [
        ViewTimes("Mine", Work.USUAL, 10, Spread(1.0, 4.99, 3), Spread(1.0, 2.0, 3)),
        ViewTimes("All", Work.USUAL, 10, Spread(1.0, 5.0, 3), Spread(1.0, 9.0, 3)),
    ]
    rows = judging.queue_rows(100, views, judged=True)
    assert [row.met for row in rows] == [True, False, None]
    smaller = judging.queue_rows(10, views, judged=False)
    assert "All" in smaller[0].measure
    assert all(row.met is None for row in smaller)


def test_the_table_says_what_is_not_installed() -> None:
    rows = [Row("rate", 10_000, {"deskhand": "7"}, "at least 2 x notmuch")]
    text = as_markdown(rows, ["notmuch"])
    line = text.splitlines()[-1]
    assert line.startswith("| rate | 10k | 7 | not installed | – |")
    assert line.endswith("| at least 2 x notmuch |  | not judged |")


def test_working_time_has_a_row_for_each_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working_time, "COUNT", 50)
    rates = working_time.time_working_time(1, lambda _: None)
    rows = judging.working_time_rows([*rates, working_time.Rate("slow ones", 50, 99_999.0)])
    assert [row.measure.split(", ")[1] for row in rows] == [
        "due times",
        "spans of days",
        "spans of ten years",
        "slow ones",
    ]
    assert all(rate.per_s > 0 for rate in rates)
    assert rows[-1].met is False


def test_rules_are_judged_by_rate_and_by_the_95th_percentile() -> None:
    quick = rules.Ruled(2e6, 5_000, Spread(2.0, 4.9, 3), Spread(1.0, 2.0, 3))
    slow = rules.Ruled(9e4, 5_000, Spread(2.0, 5.1, 3), Spread(1.0, 2.0, 3))
    assert [row.met for row in judging.rule_rows(quick)] == [True, True, None]
    assert [row.met for row in judging.rule_rows(slow)] == [False, False, None]


def test_messages_are_sorted_and_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MESSAGES", 4)
    monkeypatch.setattr(rules, "_TICKETS", 20)
    found = rules.time_rules(tmp_path / "rules", 1, lambda _: None, tickets=20)
    assert found.rows_per_s > 0
    assert (found.message.count, found.cpu.count) == (4, 4)
