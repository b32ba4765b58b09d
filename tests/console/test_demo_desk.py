"""A whole demo: it opens a console on a living home, and leaves nothing behind however it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import urlopen

import pytest
from imapclient import IMAPClient

from console.demo.customers import DESK_ADDRESS, Pace
from console.demo.desk import AGENT, ALIASES, PASSWORD_ENV, TOKEN_ENV, run_demo
from console.demo.history import assignments, history_actions
from console.demo.script import read_script
from console.demo.servers import HOST
from workflow.clock import Clock, ManualClock
from workflow.escalation_rules import load_escalation
from workflow.model import Direction
from workflow.settings import load_settings

NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
ROOT = Path(__file__).parents[2]


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for the system's temporary one."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_the_console_gets_a_home_whose_servers_answer(temporary: Path) -> None:
    before, seen = set(threading.enumerate()), []

    def console(home: Path, agent: str, clock: Clock) -> int:
        settings = tomllib.loads((home / "deskhand.toml").read_text(encoding="utf-8"))
        assert agent == AGENT
        assert [entry["name"] for entry in settings["agent"]] == ["ana", "ben", "chloe"]
        assert {entry["name"] for entry in settings["group"]} == {"support", "finance", "lead"}
        support = settings["channel"][0]
        assert support["undo_send"] == "10s"
        assert support["imap"]["password"] == {"env": PASSWORD_ENV}
        assert tomllib.loads((home / "workflow" / "sla.toml").read_text(encoding="utf-8"))
        with IMAPClient(HOST, port=support["imap"]["port"], ssl=False, timeout=10) as client:
            client.login(support["imap"]["user"], os.environ[PASSWORD_ENV])
            waiting = client.select_folder("INBOX")[b"EXISTS"]
            client.idle()
            told = client.idle_check(timeout=10)
            client.idle_done()
            assert any(line[1] == b"EXISTS" and line[0] > waiting for line in told)
        seen.append((home, waiting, support["smtp"]["port"]))
        return 3

    status = run_demo(console, clock=ManualClock(NOW), pace=Pace(first_s=0.3))
    home, waiting, port = seen[0]
    assert status == 3
    assert waiting >= 40
    assert list(temporary.iterdir()) == []
    assert not home.exists()
    assert PASSWORD_ENV not in os.environ
    assert set(threading.enumerate()) == before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((HOST, port), timeout=2)


def test_the_settings_are_accepted_without_a_warning(temporary: Path) -> None:
    def console(home: Path, agent: str, clock: Clock) -> int:
        settings = load_settings(home)
        assert settings.warnings == ()
        channel = settings.channels[0]
        assert channel.imap is not None
        assert channel.imap.security == "none"
        bot = settings.channels[1]
        with urlopen(f"{bot.base_url}{os.environ[TOKEN_ENV]}/getUpdates", timeout=10) as answer:
            assert len(json.load(answer)["result"]) > 12
        assert [level.name for level in load_escalation(home, settings).levels] == ["L2", "lead"]
        assert settings.own_addresses >= {DESK_ADDRESS, *ALIASES}
        return 0

    assert run_demo(console, clock=ManualClock(NOW)) == 0


def test_prepare_comes_after_the_mail_and_before_the_console(temporary: Path) -> None:
    order: list[str] = []

    def console(home: Path, agent: str, clock: Clock) -> int:
        order.append("console")
        return 0

    run_demo(
        console,
        clock=ManualClock(NOW),
        prepare=lambda home, clock: order.append("prepare"),
    )
    assert order == ["prepare", "console"]


@pytest.mark.parametrize("fault", [RuntimeError("broken"), KeyboardInterrupt(), SystemExit(2)])
def test_a_console_that_breaks_leaves_nothing(temporary: Path, fault: BaseException) -> None:
    before = set(threading.enumerate())
    # Ignored, where the tests were started in the background of a shell.
    interrupted = signal.getsignal(signal.SIGINT)

    def console(home: Path, agent: str, clock: Clock) -> int:
        (home / "deskhand.db").write_bytes(b"x")
        raise fault

    with pytest.raises(type(fault)):
        run_demo(console, clock=ManualClock(NOW))
    assert list(temporary.iterdir()) == []
    assert set(threading.enumerate()) == before
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) is interrupted
    assert TOKEN_ENV not in os.environ


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_ends_it_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    program = textwrap.dedent(
        """
        import asyncio
        from console.demo.desk import run_demo

        def console(home, agent, clock):
            async def wait():
                print(home, flush=True)
                await asyncio.Event().wait()
            asyncio.run(wait())
            return 0

        raise SystemExit(run_demo(console))
        """
    )
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", program],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as demo:
        try:
            assert demo.stdout is not None
            home = Path(demo.stdout.readline().strip())
            assert home.is_relative_to(tmp_path)
            assert (home / "deskhand.toml").exists()
            number = getattr(signal, name)
            began = time.monotonic()
            demo.send_signal(number)
            assert demo.wait(timeout=10) == 128 + number
            assert time.monotonic() - began < 5
            assert demo.stderr is not None
            assert demo.stderr.read() == ""
        finally:
            demo.kill()
    assert list(tmp_path.iterdir()) == []


def test_the_past_is_the_casts_and_in_order() -> None:
    addresses = {person.address for person in read_script().people.values()}
    past = history_actions()
    assert len(past) >= 12
    assert len({ticket.customer for ticket in past}) >= 9
    for ticket in past:
        assert ticket.customer in addresses
        assert ticket.outcome.endswith(".")
        assert ticket.messages[0].direction is Direction.IN
        agos = [message.ago for message in ticket.messages]
        assert agos == sorted(agos, reverse=True)
        assert timedelta(0) < ticket.resolved_ago < agos[-1]
        for message in ticket.messages:
            assert (message.author in addresses) is (message.direction is Direction.IN)


def test_assignments_name_tickets_of_the_backlog() -> None:
    subjects = {story.subject for story in read_script().backlog}
    taken = assignments()
    assert {entry.assignee for entry in taken} == {"ana", "ben", "chloe"}
    assert all(entry.subject in subjects for entry in taken)
