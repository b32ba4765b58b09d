"""The files under workflow/ while the console runs."""

from __future__ import annotations

from console.sample import SampleDesk
from tests.console.conftest import Opened, console_of
from tests.console.test_desk_screen import show_all
from tests.console.waiting import screen_text, until
from workflow.remaking import remake_stale
from workflow.timers import fire_due

POLICIES = '[[policy]]\nname = "Office"\ncalendar = "office"\nfirst_response = "40h"\n'
CALENDARS = (
    '[[calendar]]\nname = "office"\ntimezone = "UTC"\n'
    + "".join(
        f'{day} = ["{{}}"]\n' for day in ("monday", "tuesday", "wednesday", "thursday", "friday")
    )
)  # fmt: skip


def write(sample: SampleDesk, policies: str, hours: str) -> None:
    folder = sample.home / "workflow"
    folder.mkdir(exist_ok=True)
    (folder / "calendars.toml").write_text(CALENDARS.replace("{}", hours))
    (folder / "sla.toml").write_text(policies)


async def test_an_edit_counts_otherwise_and_a_fault_is_named_until_it_is_mended(
    opened: Opened, sample: SampleDesk
) -> None:
    from console.bootstrap import Desktop

    desktop = Desktop(sample.home, sample.clock, "ben")
    async with opened() as pilot:
        desk = console_of(pilot).desk
        await show_all(pilot)
        write(sample, POLICIES, "09:00-17:00")
        remake_stale(desktop.desk)
        row = next(r for r in map(desk.queue.row, desk.queue.ids) if r and r.next_metric)
        await until(
            pilot,
            lambda: (
                (found := desk.queue.row(row.id)) is not None and found.next_calendar == "office"
            ),
        )
        countdown = console_of(pilot).bridge.countdown
        await until(pilot, lambda: "office" in countdown.calendars)
        found = desk.queue.row(row.id)
        assert found is not None
        assert found.next_due_ms is not None
        now_ms = int(sample.clock.now().timestamp() * 1000)
        left = countdown.left("office", found.next_due_ms, now_ms)
        assert left is not None
        assert left <= 40 * 3600
        # Forty working hours are more than a week by the wall clock.
        assert (found.next_due_ms - now_ms) / 1000 > left
        write(sample, POLICIES.replace("first_response", "first_respons"), "09:00-17:00")
        await until(pilot, lambda: "workflow ✕ sla.toml" in screen_text(pilot))
        told = " ".join(str(notice.message) for notice in pilot.app._notifications)
        assert "workflow/sla.toml:4:1: there is no setting 'first_respons'" in told
        assert "did you mean first_response? The version before goes on." in told
        fire_due(desktop.desk)
        again = desk.queue.row(row.id)
        assert again is not None
        assert again.next_due_ms == found.next_due_ms, "the last good version goes on"
        write(sample, POLICIES, "09:00-17:00")
        await until(pilot, lambda: "workflow ✕" not in screen_text(pilot))
    desktop.close()
