"""Tokens that are renewed by themselves: once for all who ask, kept with what comes new."""

from __future__ import annotations

import json
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from channels.faults import AccountRefused, Unreachable
from channels.oauth.access import Access, LoginNeeded, tokens_of
from channels.oauth.tokens import Tokens, store_of
from tests.servers.oauth import TokenServer
from workflow.clock import wall_time
from workflow.errors import SettingsError
from workflow.settings import OAuthSettings, Secret


@pytest.fixture
def server() -> Iterator[TokenServer]:
    with TokenServer() as running:
        yield running


def settings(server: TokenServer, path: Path, **more: Any) -> OAuthSettings:
    return OAuthSettings(file=path, **(server.settings() | more))


def logged_in(server: TokenServer, path: Path, *, lasts_s: int = 3600) -> Access:
    given = server.give()
    access = Access(settings(server, path), "support")
    access.store.save(tokens_of(given["access_token"], given["refresh_token"], lasts_s))
    return access


def test_a_token_that_is_good_is_not_renewed(server: TokenServer, tmp_path: Path) -> None:
    access = logged_in(server, tmp_path / "tokens")
    assert access.token() == "access-1"
    assert server.asked == []


def test_a_token_is_renewed_before_it_ends_and_the_new_permission_is_kept(
    server: TokenServer, tmp_path: Path
) -> None:
    access = logged_in(server, tmp_path / "tokens", lasts_s=100)
    assert access.token() == "access-2"
    kept = access.store.load()
    assert kept is not None
    assert (kept.access_token, kept.refresh_token) == ("access-2", "refresh-2")
    assert kept.expires_at is not None
    assert 3590 < kept.expires_at - wall_time().timestamp() <= 3600
    assert Access(access.oauth, "support").token() == "access-2"
    assert server.refreshes == 1


def test_a_permission_that_is_not_replaced_stays(server: TokenServer, tmp_path: Path) -> None:
    server.rotates = False
    access = logged_in(server, tmp_path / "tokens", lasts_s=1)
    access.token()
    kept = access.store.load()
    assert kept is not None
    assert kept.refresh_token == "refresh-1"


def test_a_token_that_a_server_refused_is_renewed_once_for_all(
    server: TokenServer, tmp_path: Path
) -> None:
    access = logged_in(server, tmp_path / "tokens")
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: Access(access.oauth, "support").token("access-1"), range(8)))
    assert found == {"access-2"}
    assert server.refreshes == 1


def renew(path: Path, form: dict[str, Any], got: Any) -> None:
    got.put(Access(OAuthSettings(file=path, **form), "support").token("access-1"))


def test_two_programs_at_once_spend_one_permission(server: TokenServer, tmp_path: Path) -> None:
    server.slow = threading.Event()
    access = logged_in(server, tmp_path / "tokens")
    context = multiprocessing.get_context("spawn")
    got = context.Queue()
    workers = [
        context.Process(target=renew, args=(tmp_path / "tokens", server.settings(), got))
        for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    threading.Timer(0.5, server.slow.set).start()
    assert [got.get(timeout=30) for _ in workers] == ["access-2", "access-2"]
    for worker in workers:
        worker.join(10)
    assert server.refreshes == 1
    assert access.token() == "access-2"


@pytest.mark.parametrize(
    "error",
    [
        (400, "invalid_grant", "Token has been expired or revoked."),
        (400, "interaction_required", "AADSTS50076"),
    ],
)
def test_a_permission_that_has_ended_is_asked_for_once_and_said_in_words(
    server: TokenServer, tmp_path: Path, error: tuple[int, str, str]
) -> None:
    access = logged_in(server, tmp_path / "tokens", lasts_s=1)
    refresh = f"own-{error[1]}"
    access.store.save(Tokens("old", refresh, 1.0))
    server.faults = [error]
    for _ in range(3):
        with pytest.raises(LoginNeeded, match="run deskhand setup --login support"):
            access.token()
    assert server.refreshes == 1
    given = server.give()
    access.store.save(tokens_of(given["access_token"], given["refresh_token"], 3600))
    assert access.token() == given["access_token"]


def test_nobody_has_logged_in_yet(server: TokenServer, tmp_path: Path) -> None:
    with pytest.raises(LoginNeeded, match="nobody has logged in yet"):
        Access(settings(server, tmp_path / "tokens"), "support").token()
    (tmp_path / "tokens").write_text("{")
    (tmp_path / "tokens").chmod(0o600)
    with pytest.raises(LoginNeeded):
        Access(settings(server, tmp_path / "tokens"), "support").token()


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ((503, "temporarily_unavailable", "later"), Unreachable),
        ((500, "server_error", ""), Unreachable),
        ((429, "rate_limit_exceeded", "slowly"), Unreachable),
        ((401, "invalid_client", "AADSTS7000215"), AccountRefused),
        ((400, "unauthorized_client", "no"), AccountRefused),
    ],
)
def test_faults_of_the_provider_are_told_apart(
    server: TokenServer, tmp_path: Path, fault: tuple[int, str, str], expected: type[Exception]
) -> None:
    access = logged_in(server, tmp_path / "tokens", lasts_s=-1)
    server.faults = [fault]
    with pytest.raises(expected) as caught:
        access.token()
    assert not isinstance(caught.value, LoginNeeded)
    assert "Trace ID" not in str(caught.value)
    assert access.token() == "access-2"


def test_while_the_provider_is_away_a_token_is_used_to_its_end(
    server: TokenServer, tmp_path: Path
) -> None:
    access = logged_in(server, tmp_path / "tokens", lasts_s=60)
    server.faults = [(503, "temporarily_unavailable", "")]
    assert access.token() == "access-1"


def test_a_client_secret_is_read_and_never_told(
    server: TokenServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.client_secret = "hush"
    monkeypatch.setenv("CLIENT", "hush")
    oauth = settings(server, tmp_path / "tokens", client_secret=Secret("env", "CLIENT"))
    store_of(oauth).save(Tokens("old", server.give()["refresh_token"], 1.0))
    assert Access(oauth, "support").token() == "access-2"
    assert "hush" not in repr(oauth)
    monkeypatch.setenv("CLIENT", "wrong")
    with pytest.raises(AccountRefused, match="check client_id and client_secret") as caught:
        Access(oauth, "support").token("access-2")
    assert "wrong" not in str(caught.value)


def test_a_file_of_tokens_is_private(server: TokenServer, tmp_path: Path) -> None:
    access = logged_in(server, tmp_path / "tokens")
    if os.name != "nt":
        assert (tmp_path / "tokens").stat().st_mode & 0o077 == 0
        (tmp_path / "tokens").chmod(0o644)
        with pytest.raises(SettingsError, match="others can read the tokens"):
            access.token()
    assert json.loads((tmp_path / "tokens").read_text())["access_token"] == "access-1"


def test_tokens_lie_in_the_keyring(
    server: TokenServer, memory_keyring: Callable[[], dict[tuple[str, str], str]]
) -> None:
    oauth = OAuthSettings(keyring="support-oauth", **server.settings())
    given = server.give()
    store_of(oauth).save(tokens_of(given["access_token"], given["refresh_token"], 1))
    assert Access(oauth, "support").token() == "access-2"
    kept = json.loads(memory_keyring()["deskhand", "support-oauth"])
    assert kept["refresh_token"] == "refresh-2"
    store_of(oauth).forget()
    assert memory_keyring() == {}


def test_a_machine_without_a_keyring_is_told_of_the_file(server: TokenServer) -> None:
    oauth = OAuthSettings(keyring="support-oauth", **server.settings())
    with pytest.raises(SettingsError, match=r'file = "support-oauth\.tokens"'):
        store_of(oauth).save(Tokens("a", "b", None))
