"""A macro is found by a few letters."""

from __future__ import annotations

from macros.library import Library
from macros.pick import rank, used_lately
from macros.running import Runner
from tests.workflow.bench import ANA, Bench
from workflow.actions import Reply


def names(library: Library, typed: str, lately: tuple[str, ...] = ()) -> list[str]:
    macros, _problems = library.read()
    return [macro.name for macro in rank(macros, typed, lately)]


def test_the_best_comes_first_and_what_does_not_fit_is_left_out(library: Library) -> None:
    assert names(library, "refund")[:2] == ["refund-approved", "refund-refused"]
    assert names(library, "app ref") == ["refund-approved"]
    assert names(library, "PASSWÖRD")[0] == "password-reset"
    assert names(library, "bgrc")[0] == "bug-received"
    assert names(library, "zzzz") == []


def test_nothing_typed_gives_all_with_those_used_lately_first(library: Library) -> None:
    found = names(library, "", ("refund-refused", "bug-received"))
    assert len(found) == 10
    assert found[:2] == ["refund-refused", "bug-received"]
    assert names(library, "refund", ("refund-refused",))[0] == "refund-refused"


def test_what_an_agent_ran_is_known(bench: Bench, library: Library, runner: Runner) -> None:
    for name in ("acknowledge", "resolved-survey", "acknowledge"):
        runner.run(library.get(name), [bench.opened()])
    bench.reply(bench.opened())
    assert used_lately(bench.reads, "ana") == ["acknowledge", "resolved-survey"]
    assert used_lately(bench.reads, "ben") == []
    assert used_lately(bench.reads, "ana", 1) == ["acknowledge"]


def test_the_most_used_of_the_last_days_comes_first(
    bench: Bench, library: Library, runner: Runner
) -> None:
    def runs(name: str, times: int) -> None:
        for _ in range(times):
            runner.run(library.get(name), [bench.opened()])

    runs("acknowledge", 3)
    runs("resolved-survey", 1)
    assert used_lately(bench.reads, "ana") == ["acknowledge", "resolved-survey"]
    bench.clock.advance(14 * 86_400)
    runs("billing-error", 1)
    # Fourteen days on, three uses weigh less than one of today.
    assert used_lately(bench.reads, "ana")[0] == "billing-error"
    bench.desk.undo(ANA)
    assert "billing-error" not in used_lately(bench.reads, "ana")
    # What went into a reply of the agent's own counts, too.
    reply = Reply(bench.opened(), "Hello")
    bench.desk.perform(reply, ANA, "key:ctrl+s macro:bug-received macro:my own")
    assert used_lately(bench.reads, "ana")[:2] == ["bug-received", "my own"]
