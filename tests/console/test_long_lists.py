"""A hundred thousand tickets scroll as ten do, and the cursor stays where the agent put it."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from textual.app import App, ComposeResult
from textual.widgets import Input

from console.themes import DARK, Inks
from console.widgets.queue_list import QueueList
from console.widgets.queue_row import columns_for
from console.widgets.transcript import Transcript
from console.widgets.virtual_list import VirtualList
from workflow.model import to_millis
from workflow.store.rows import CustomerDetail, MessageDetail, QueueRow, TicketDetail

NOW = datetime(2026, 3, 10, 14, 30, tzinfo=UTC)


def row(number: int) -> QueueRow:
    return QueueRow(
        id=number,
        subject=f"Order {number}",
        status="open",
        priority=2,
        channel="email",
        customer=f"Customer {number}",
        assignee=None,
        group_name="support",
        last_line="Where is it?",
        last_direction="in",
        waiting_since_ms=to_millis(NOW),
        next_metric="first_response",
        next_due_ms=to_millis(NOW + timedelta(hours=1)),
        next_warn_ms=None,
        paused=0,
        snoozed_until_ms=None,
        snoozed_until_reply=0,
        escalated_to=None,
        message_count=1,
        has_draft=0,
        updated_ms=to_millis(NOW),
        version=1,
    )


class Lists(App[None]):
    """One queue and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.register_theme(DARK)
        self.theme = DARK.name
        self.asked: list[int] = []
        self.queue = QueueList(self.fetch, lambda: NOW, "ana")

    @property
    def inks(self) -> Inks:
        return Inks(self.theme_variables, mono=False)

    def fetch(self, ids: Sequence[int]) -> list[QueueRow]:
        self.asked.append(len(ids))
        return [row(number) for number in ids]

    def compose(self) -> ComposeResult:
        yield self.queue
        yield Input()


async def test_a_hundred_thousand_rows_cost_what_is_on_screen() -> None:
    app = Lists()
    async with app.run_test(size=(120, 40)) as pilot:
        app.queue.focus()
        app.queue.set_ids(array("q", range(1, 100_001)), reset=True)
        await pilot.pause()
        await pilot.press("G")
        assert app.queue.cursor_id == 100_000
        await pilot.press("g", "pagedown", "pagedown", "ctrl+d", "j", "j", "k")
        await pilot.pause()
        assert sum(app.asked) < 1_000, "rows are read for what is drawn"
        assert len(app.asked) < 12


async def test_a_cursor_key_paints_two_lines() -> None:
    app = Lists()
    async with app.run_test(size=(120, 40)) as pilot:
        app.queue.focus()
        app.queue.set_ids(array("q", range(1, 1001)), reset=True)
        await pilot.pause()
        painted: list[object] = []
        refresh = app.queue.refresh
        app.queue.refresh = lambda *regions, **rest: (
            painted.append(regions) or refresh(*regions, **rest)
        )  # type: ignore[method-assign, func-returns-value]
        await pilot.press("j")
        assert [[region.height for region in regions] for regions in painted] == [[1, 1]]  # type: ignore[attr-defined]


async def test_new_rows_above_do_not_move_the_cursor_from_its_ticket() -> None:
    app = Lists()
    async with app.run_test(size=(120, 40)) as pilot:
        queue = app.queue
        queue.set_ids(array("q", range(100, 400)), reset=True)
        await pilot.pause()
        queue.move_to(50)
        queue.marks = {149, 160, 399}
        on_screen = queue.cursor - int(queue.scroll_offset.y)
        queue.set_ids(array("q", [1, 2, 3, *range(100, 399)]))
        await pilot.pause()
        assert queue.cursor_id == 150
        assert queue.cursor - int(queue.scroll_offset.y) == on_screen
        assert queue.marks == {149, 160}
        queue.set_ids(array("q", [n for n in queue.ids if n != 150]))
        assert queue.cursor_id == 151, "the next one takes the place of one that left"
        queue.set_ids(array("q"))
        assert queue.cursor_id is None
        queue.set_ids(array("q", [7]))
        assert queue.cursor_id == 7


async def test_mouse_click_moves_and_a_second_click_opens() -> None:
    app = Lists()
    chosen: list[int] = []
    async with app.run_test(
        size=(120, 40),
        message_hook=lambda m: chosen.append(m.id) if isinstance(m, VirtualList.Chosen) else None,
    ) as pilot:
        app.queue.set_ids(array("q", range(1, 1001)), reset=True)
        await pilot.pause()
        await pilot.click(QueueList, offset=(10, 4))
        assert app.queue.cursor == 4
        assert chosen == []
        await pilot.click(QueueList, offset=(10, 6), times=2)
        await pilot.pause()
        assert set(chosen) == {7}


def test_columns_fill_the_width_exactly_at_every_size() -> None:
    for width in range(60, 240):
        columns = columns_for(width, 123_456)
        used = (
            2
            + columns.number
            + columns.state
            + columns.priority
            + columns.customer
            + columns.subject
        )
        used += (
            columns.group
            + columns.assignee
            + columns.waiting
            + columns.clock
            + 8
            + bool(columns.group)
            + 1
        )
        assert columns.subject >= 8
        assert used <= width or columns.subject == 8


def ticket(count: int) -> TicketDetail:
    messages = tuple(
        MessageDetail(
            id=n,
            direction="in" if n % 2 else "out",
            author=f"Person {n}",
            agent=None,
            at=NOW + timedelta(minutes=n),
            date=None,
            subject="Order",
            from_name="",
            from_address=f"p{n}@mail.example",
            to=(),
            cc=(),
            bcc=(),
            reply_to=(),
            message_id=f"<{n}>",
            text=f"Message {n}. " + "Some words that go on and on until the line is full. " * 12,
            full_text="",
            automatic=False,
            bounce=None,
            matched_by="",
            delivery=None,
            raw_sha256=None,
            reference_ids=(),
            in_reply_to=None,
            account="support",
            channel="email",
        )
        for n in range(1, count + 1)
    )
    return TicketDetail(
        id=1,
        subject="Order",
        status="open",
        priority=2,
        priority_by="default",
        channel="email",
        account="support",
        group_name=None,
        assignee=None,
        level=None,
        topic=None,
        language=None,
        sentiment=None,
        tags=(),
        snoozed_until=None,
        snoozed_until_reply=False,
        spam=False,
        merged_into=None,
        created_at=NOW,
        updated_at=NOW,
        waiting_since=None,
        version=1,
        customer=CustomerDetail(1, "Person", "", "standard", ()),
        messages=messages,
    )


class Talk(Lists):
    """One conversation and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.transcript = Transcript(lambda: NOW, UTC)

    def compose(self) -> ComposeResult:
        yield self.transcript


async def test_a_thousand_messages_open_at_the_newest_and_new_ones_are_told() -> None:
    app = Talk()
    async with app.run_test(size=(120, 40)) as pilot:
        transcript = app.transcript
        transcript.show(ticket(1000))
        await pilot.pause()
        assert transcript.current == 999
        assert transcript.scroll_offset.y > 5000
        transcript.action_first()
        await pilot.pause()
        transcript.show(ticket(1003))
        assert transcript.unseen == 3
        assert transcript.scroll_offset.y == 0, "who reads above is not moved"
        transcript.action_last()
        assert transcript.unseen == 0
        transcript.show(ticket(1004))
        assert transcript.current == 1003, "who reads the end sees what comes"
        assert transcript.find("message 500.") == 1
        assert transcript.current == 499
        transcript.next_match(1)
        assert transcript.current == 499
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert transcript.virtual_size.height > 10_000
