"""Webhooks and programs, against a server on loopback and programs that really run."""

from __future__ import annotations

import hashlib
import hmac
import json
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from channels.notices.outcome import Untold
from channels.notices.program import run_program
from channels.notices.service import notify_service
from channels.notices.teller import tell_due
from channels.notices.webhook import SIGNATURE, post_webhook
from tests.workflow.triggers.ruled import Ruled, trigger
from workflow.clock import ManualClock
from workflow.settings import AgentSettings, Secret, Way
from workflow.triggers.notices import OUTSIDE
from workflow.triggers.telling import claim_notices


class Receiver:
    """Takes webhooks; ``status`` and ``headers`` are what it answers."""

    def __init__(self) -> None:
        self.taken: list[tuple[dict[str, str], bytes]] = []
        self.status, self.headers = 200, {}  # type: int, dict[str, str]
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                size = int(self.headers["Content-Length"])
                body = self.rfile.read(size)
                receiver.taken.append((dict(self.headers.items()), body))
                self.send_response(receiver.status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(b"thanks\x1b[31m")

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Give the port back."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def desk(tmp_path: Path, clock: ManualClock) -> Iterator[Ruled]:
    made = Ruled(tmp_path, clock)
    yield made
    made.close()


def state(desk: Ruled) -> list[tuple[str, int, str | None]]:
    return [
        tuple(row) for row in desk.rows("SELECT state, attempts, error FROM notice ORDER BY id")
    ]


def test_a_webhook_gets_the_ticket_and_can_see_that_it_is_from_us(
    desk: Ruled, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK", receiver.url)
    monkeypatch.setenv("KEY", "s3cret")
    desk.write(
        trigger("hook", "created", 'webhook = { url = { env = "HOOK" }, secret = { env = "KEY" } }')
    )
    ticket = desk.opened(text="Ünïcode \x1b[31m")
    assert receiver.taken == []
    assert tell_due(desk.desk) == 1
    assert tell_due(desk.desk) == 0
    ((headers, body),) = receiver.taken
    made = hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
    assert headers[SIGNATURE] == f"sha256={made}"
    told: dict[str, Any] = json.loads(body)
    assert (told["rule"], told["on"], told["cause"]) == ("hook", "created", "triggers.toml:1")
    assert told["ticket"]["id"] == ticket
    assert told["ticket"]["customer"]["identities"] == [
        {"kind": "email", "value": "maria@customer.example"}
    ]
    assert str(told["notice"]) == headers["X-Deskhand-Notice"]
    assert state(desk) == [("sent", 1, None)]
    (event,) = [e for e in desk.ticket(ticket).events if e.name == "notice.sent"]
    assert event.data["answer"] == "200 thanks␛[31m"
    # No secret lies in the database.
    assert "s3cret" not in str(desk.rows("SELECT target, body FROM notice"))
    assert receiver.url not in str(desk.rows("SELECT target FROM notice"))


def test_a_fault_that_passes_is_tried_again_after_a_pause_that_grows(
    desk: Ruled, receiver: Receiver, clock: ManualClock
) -> None:
    desk.write(trigger("hook", "created", f'webhook = "{receiver.url}"'))
    desk.opened()
    receiver.status = 503
    assert tell_due(desk.desk) == 0
    assert state(desk) == [("queued", 1, "127.0.0.1 answered 503")]
    clock.advance(29)
    tell_due(desk.desk)
    assert len(receiver.taken) == 1
    clock.advance(1)
    tell_due(desk.desk)
    clock.advance(59)
    tell_due(desk.desk)
    assert len(receiver.taken) == 2
    receiver.status = 204
    clock.advance(1)
    assert tell_due(desk.desk) == 1
    assert state(desk) == [("sent", 3, None)]


@pytest.mark.parametrize(
    ("status", "headers", "says"),
    [
        (404, {}, "answered 404"),
        (302, {"Location": "http://127.0.0.1:1/elsewhere"}, "leads elsewhere"),
        (307, {"Location": "/other"}, "leads elsewhere"),
    ],
)
def test_what_will_not_pass_fails_at_once(
    desk: Ruled, receiver: Receiver, status: int, headers: dict[str, str], says: str
) -> None:
    desk.write(trigger("hook", "created", f'webhook = "{receiver.url}"'))
    receiver.status, receiver.headers = status, headers
    ticket = desk.opened()
    tell_due(desk.desk)
    ((found, attempts, error),) = state(desk)
    assert (found, attempts) == ("failed", 1)
    assert says in str(error)
    assert "notice.failed" in desk.names(ticket)
    assert len(receiver.taken) == 1


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/x", "nonsense"])
def test_only_http_is_asked(url: str) -> None:
    with pytest.raises(Untold, match="neither http nor https"):
        post_webhook(url, "", 1, {})


def test_a_secret_that_is_missing_is_said_and_tried_again(desk: Ruled) -> None:
    desk.write(trigger("hook", "created", 'webhook = { env = "NOT_THERE" }'))
    desk.opened()
    tell_due(desk.desk)
    ((found, _attempts, error),) = state(desk)
    assert found == "queued"
    assert "set the environment variable NOT_THERE" in str(error)


def program(tmp_path: Path, body: str) -> str:
    path = tmp_path / "program"
    path.write_text(f"#!{sys.executable}\nimport json, sys, time\n{body}\n")
    path.chmod(0o755)
    return str(path)


def test_a_program_reads_json_and_no_shell_sees_what_a_customer_wrote(
    desk: Ruled, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    path = program(
        tmp_path,
        f"told = json.load(sys.stdin)\n"
        f"open({str(out)!r}, 'w').write(json.dumps([sys.argv[1:], told['ticket']['subject']]))\n"
        "print('paged', told['rule'])",
    )
    desk.write(trigger("page", "created", f'run = ["{path}", "$(id)", "; true"]'))
    ticket = desk.opened(subject="$(touch /tmp/x); `id`")
    assert tell_due(desk.desk) == 1
    assert json.loads(out.read_text()) == [["$(id)", "; true"], "$(touch /tmp/x); `id`"]
    (event,) = [e for e in desk.ticket(ticket).events if e.name == "notice.sent"]
    assert event.data["answer"] == "paged page"


@pytest.mark.parametrize(
    ("body", "says", "passes"),
    [
        ("sys.exit('not today')", "ended with status 1: not today", False),
        ("sys.exit(75)", "ended with status 75", True),
        ("time.sleep(60)", "did not end within 1 s", False),
    ],
)
def test_how_a_program_can_fail(tmp_path: Path, body: str, says: str, passes: bool) -> None:
    with pytest.raises(Untold, match=says) as fault:
        run_program([program(tmp_path, body)], 1, 1, {})
    assert fault.value.passes == passes


def test_a_program_that_is_not_there_and_one_that_reads_nothing(tmp_path: Path) -> None:
    with pytest.raises(Untold, match="cannot be started"):
        run_program([str(tmp_path / "none")], 5, 1, {})
    assert run_program([program(tmp_path, "print('x' * 5000)")], 5, 1, {"big": "y" * 200_000}) == (
        "x" * 299 + "…"
    )


def test_what_a_dead_process_had_taken(desk: Ruled, receiver: Receiver, clock: ManualClock) -> None:
    desk.write(trigger("hook", "created", f'webhook = "{receiver.url}", run = ["/bin/true"]'))
    desk.opened()
    with desk.desk.engine_change("notices") as context:
        assert len(claim_notices(context, OUTSIDE)) == 2
    assert tell_due(desk.desk) == 0
    clock.advance(901)
    assert tell_due(desk.desk) == 1
    (hook, run) = state(desk)
    assert hook[:2] == ("sent", 2)
    assert run[0] == "failed"
    assert "deskhand was stopped while it ran" in str(run[2])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_service_that_somebody_chose(receiver: Receiver) -> None:
    pytest.importorskip("apprise")
    url = receiver.url.replace("http://", "json://")
    assert notify_service(url, "#1 help", "[b]not markup[/b]") == "told"
    ((_headers, body),) = receiver.taken
    told = json.loads(body)
    assert (told["title"], told["message"]) == ("#1 help", "[b]not markup[/b]")
    receiver.status = 500
    with pytest.raises(Untold, match="did not take it"):
        notify_service(url, "a", "b")
    with pytest.raises(Untold, match="none that apprise knows"):
        notify_service("nonsense", "a", "b")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_url_of_a_service_stays_in_the_settings(
    desk: Ruled, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("apprise")
    monkeypatch.setenv("LEA", receiver.url.replace("http://", "json://"))
    lea = AgentSettings("lea", "", ("leads",), "lead", ways=(Way("apprise", Secret("env", "LEA")),))
    desk.desk.settings = desk.settings = replace(
        desk.settings, agents=(*desk.settings.agents[:-1], lea)
    )
    desk.write(trigger("x", "created", 'notify = "leads"'))
    desk.opened()
    assert desk.notices() == [("apprise", "queued", {"agent": "lea", "way": 0})]
    assert tell_due(desk.desk) == 1
    assert json.loads(receiver.taken[0][1])["title"].startswith("#1 subject of")
