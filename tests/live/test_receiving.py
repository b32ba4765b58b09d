"""What happens to mail when servers, folders and logins misbehave: nothing is lost, all is said."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from channels.email.account import EmailAccount
from channels.health import Health
from tests.live.desks import LiveDesk, Opened, Running, letter, wait_until
from tests.servers.dovecot import Dovecot
from tests.servers.tls import Certificate
from workflow import actions as a
from workflow.clock import ManualClock
from workflow.errors import Refusal, StoreError
from workflow.model import Actor

ANA = Actor.agent("ana")


def test_a_new_uidvalidity_reads_all_again_and_finds_it_known(
    dovecot: Dovecot, opened: Opened, running: Running
) -> None:
    live = opened(imap_port=dovecot.port)
    running(live)
    dovecot.deliver_all([letter(n) for n in range(40)])
    wait_until(lambda: live.count("message") == 40)

    dovecot.reset_uidvalidity()
    dovecot.deliver(letter(40))
    wait_until(lambda: live.count("message") == 41)
    wait_until(lambda: live.count("arrival") == 81)

    assert live.count("arrival", "outcome = 'duplicate'") == 40
    assert len(live.column("SELECT DISTINCT validity FROM arrival")) == 2


def test_what_is_expunged_in_between_hides_nothing(
    dovecot: Dovecot, opened: Opened, running: Running
) -> None:
    live = opened(imap_port=dovecot.port)
    running(live)
    for start in range(0, 60, 20):
        dovecot.deliver_all([letter(n) for n in range(start, start + 20)])
        wait_until(lambda: live.count("message") >= start + 20)  # noqa: B023
        with dovecot.session(folder="INBOX") as session:
            session.store("1:15", "+FLAGS", r"(\Deleted)")
            session.expunge()
    dovecot.deliver(letter(60))
    wait_until(lambda: live.count("message") == 61)
    assert live.column("SELECT DISTINCT outcome FROM arrival") == ["created"]


def test_the_highest_message_expunged_is_not_read_as_new(dovecot: Dovecot, opened: Opened) -> None:
    live = opened(imap_port=dovecot.port)
    dovecot.deliver_all([letter(n) for n in range(3)])
    assert live.engine().run_once().received == 3
    with dovecot.session(folder="INBOX") as session:
        session.store("3", "+FLAGS", r"(\Deleted)")
        session.expunge()
    # UID 4:* now answers with UID 2.
    assert live.engine().run_once().received == 0


def test_a_server_that_restarts_again_and_again_loses_nothing(
    dovecot: Dovecot, opened: Opened, running: Running
) -> None:
    live = opened(imap_port=dovecot.port)
    engine = running(live)
    for round_ in range(4):
        dovecot.deliver_all([letter(n) for n in range(round_ * 50, round_ * 50 + 50)])
        dovecot.restart()
    wait_until(lambda: live.count("message") == 200, 40)
    wait_until(lambda: engine.states()[0].words == "waiting for mail", 40)
    assert len(set(live.column("SELECT message_id FROM message"))) == 200


def test_a_server_that_is_down_is_said_and_found_again(
    dovecot: Dovecot, opened: Opened, running: Running
) -> None:
    live = opened(imap_port=dovecot.port)
    dovecot.halt()
    engine = running(live)
    wait_until(lambda: not engine.states()[0].ok)
    words = engine.states()[0].words
    assert f"127.0.0.1:{dovecot.port} refuses connections" in words
    assert "next try in" in words
    dovecot.resume()
    dovecot.deliver(letter(1))
    wait_until(lambda: live.count("message") == 1)
    wait_until(lambda: engine.states()[0].ok)


def test_a_login_that_is_refused_is_explained_and_stops_no_other_account(
    dovecot: Dovecot, opened: Opened
) -> None:
    live = opened(imap_port=dovecot.port, password="wrong")
    text = (live.home / "deskhand.toml").read_text()
    second = text[text.index("[[channel]]") :].replace('"wrong"', '"pw"')
    second = second.replace('name = "support"', 'name = "sales"').replace(
        "support@example.com", "sales@example.com"
    )
    (live.home / "deskhand.toml").write_text(text + second)
    both = LiveDesk.open(live.home)
    dovecot.deliver(letter(1))

    done = both.engine().run_once()
    both.close()

    assert done.created == 1
    refused, fine = done.accounts
    assert (refused.name, refused.ok) == ("support", False)
    assert refused.error is not None
    assert "refuses the login of support" in refused.error
    assert "app password" in refused.error
    assert (fine.name, fine.ok, fine.error) == ("sales", True, None)


def test_folders_are_all_read_and_a_missing_one_is_named(
    dovecot: Dovecot, opened: Opened, running: Running
) -> None:
    dovecot.deliver(letter(1), "Forms")
    dovecot.deliver(letter(2))
    live = opened(imap_port=dovecot.port, folders='"INBOX", "Forms"')
    engine = running(live)
    wait_until(lambda: live.count("message") == 2)
    dovecot.deliver(letter(3), "Forms")
    wait_until(lambda: live.count("message") == 3)
    assert sorted(live.column("SELECT folder FROM cursor")) == ["Forms", "INBOX"]
    engine.stop()

    missing = opened(imap_port=dovecot.port, folders='"INBOX", "Nowhere"')
    (result,) = missing.engine().run_once().accounts
    assert result.error is not None
    assert "the folder Nowhere cannot be opened" in result.error
    assert "INBOX" in result.error


def test_a_mail_that_is_too_large_is_held_by_its_header_and_can_be_released(
    dovecot: Dovecot, opened: Opened
) -> None:
    live = opened(imap_port=dovecot.port, more='max_size = "100KB"\n')
    dovecot.deliver(letter(1, text="x" * 70 + "\n" + "filler line\n" * 20_000))
    dovecot.deliver(letter(2))

    done = live.engine().run_once()
    assert (done.created, done.held) == (1, 1)
    (held,) = live.reads.held()
    assert held.cause == "too large"
    assert held.subject == "Question 1"
    assert held.raw_size > 100_000
    assert "stays in INBOX of support" in held.evidence
    assert len(live.files.read(held.raw_sha256)) < 2000

    outcome = live.desk.perform(a.ReleaseHeld(held.id), ANA, "test")
    assert outcome.ticket == 2
    detail = live.reads.ticket(2)
    assert detail is not None
    assert detail.subject == "Question 1"
    assert "stays in INBOX of support" in detail.messages[0].text
    with pytest.raises(Refusal, match="cannot be held again"):
        live.desk.undo(ANA)
    with pytest.raises(Refusal, match="already released"):
        live.desk.perform(a.ReleaseHeld(held.id), ANA, "test")
    done = live.engine().run_once()
    assert [one.error for one in done.accounts] == [None]
    detail = live.reads.ticket(2)
    assert detail is not None
    (message,) = detail.messages
    assert message.text.count("filler line") == 20_000
    assert len(live.files.read(message.raw_sha256 or "")) > 200_000
    assert live.column("SELECT state FROM held") == ["released"]
    dovecot.reset_uidvalidity()
    again = live.engine().run_once()
    assert (again.received, again.duplicate) == (2, 2)


def test_a_large_mail_that_is_gone_when_it_is_wanted_says_so(
    dovecot: Dovecot, opened: Opened
) -> None:
    live = opened(imap_port=dovecot.port, more='max_size = "100KB"\n')
    path = dovecot.deliver(letter(1, text="filler line\n" * 20_000))
    live.engine().run_once()
    live.desk.perform(a.ReleaseHeld(1), ANA, "test")
    path.unlink()
    assert [one.ok for one in live.engine().run_once().accounts] == [True]
    detail = live.reads.ticket(1)
    assert detail is not None
    assert "no longer in INBOX on the server" in detail.messages[0].text


def test_clocks_start_when_mail_reached_the_server_and_old_mail_starts_none(
    dovecot: Dovecot, opened: Opened
) -> None:
    now = datetime(2026, 11, 23, 9, tzinfo=UTC)
    live = opened(ManualClock(now), imap_port=dovecot.port, more="since = 2026-11-01\n")
    reached = now - timedelta(minutes=30)
    dovecot.deliver(letter(1), received=reached)
    dovecot.deliver(letter(2), received=now - timedelta(days=90))
    dovecot.deliver(letter(3), received=now + timedelta(days=1))
    live.engine().run_once()

    fresh, old, future = live.reads.tickets([1, 2, 3])
    assert {clock.started_at for clock in fresh.clocks} == {reached}
    assert old.clocks == ()
    assert future.created_at == now


def test_tls_is_checked_and_starttls_works(
    dovecot: Dovecot,
    opened: Opened,
    certificate: Certificate,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    live = opened(imap_port=dovecot.port)
    dovecot.deliver(letter(1))
    path = live.home / "deskhand.toml"
    text = path.read_text()
    tls = text.replace(f"port = {dovecot.port}", f"port = {dovecot.tls_port}")
    path.write_text(tls.replace('security = "none"', 'security = "tls"'))
    strict = LiveDesk.open(live.home)
    (result,) = strict.engine().run_once().accounts
    assert result.error is not None
    assert "certificate" in result.error

    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.ca_file))
    assert strict.engine().run_once().created == 1
    strict.close()
    dovecot.deliver(letter(2))
    path.write_text(text.replace('security = "none"', 'security = "starttls"'))
    upgraded = LiveDesk.open(live.home)
    assert upgraded.engine().run_once().created == 1
    upgraded.close()


def test_a_store_that_fails_pauses_receiving_and_loses_nothing(
    dovecot: Dovecot, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = opened(imap_port=dovecot.port)
    health = Health(["support"])
    account = EmailAccount(live.desk, live.settings.channels[0], live.settings, live.files, health)
    monkeypatch.setattr("channels.backoff.STORE_S", 0.2)
    full = StoreError("the disk is full: free some space and try again")
    works = live.desk.receive
    fails = threading.Event()
    fails.set()

    def receive(*given: object) -> object:
        if fails.is_set():
            raise full
        return works(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(live.desk, "receive", receive)
    dovecot.deliver_all([letter(n) for n in range(3)])
    thread = threading.Thread(target=account.run)
    thread.start()
    wait_until(lambda: "cannot store: the disk is full" in health.states()[0].words)
    assert live.count("message") == 0
    fails.clear()
    wait_until(lambda: live.count("message") == 3)
    account.stop()
    thread.join(10)
    account.close()
    assert not thread.is_alive()
