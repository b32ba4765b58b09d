"""A person lets us in: in the browser, and with a code on another device."""

from __future__ import annotations

import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from channels.faults import AccountRefused, ChannelFault
from channels.oauth.flows import Login, ways_of
from channels.oauth.grants import authorization_url, endpoints_of
from channels.oauth.tokens import store_of
from tests.servers.oauth import TokenServer
from workflow.errors import SettingsError
from workflow.settings import OAuthSettings


@pytest.fixture
def server() -> Iterator[TokenServer]:
    with TokenServer() as running:
        yield running


def browser(url: str) -> bytes:
    """What a browser does whose person allows it: it goes where it is sent."""
    with urllib.request.urlopen(url, timeout=10) as page:
        return bytes(page.read())


def login(
    server: TokenServer,
    tmp_path: Path,
    opens: Callable[[str], object] = browser,
    limit_s: float = 10,
) -> tuple[Login, list[str], list[float]]:
    told: list[str] = []
    slept: list[float] = []
    oauth = OAuthSettings(file=tmp_path / "tokens", **server.settings())
    made = Login(
        oauth, "support", "support", told.append, opens, sleep=slept.append, limit_s=limit_s
    )
    return made, told, slept


def test_the_browser_brings_a_code_that_becomes_tokens(server: TokenServer, tmp_path: Path) -> None:
    pages: list[bytes] = []
    made, told, _ = login(server, tmp_path, lambda url: pages.append(browser(url)))
    made.run("browser")
    kept = store_of(made.oauth).load()
    assert kept is not None
    assert server.user_of(kept.access_token) == "support"
    assert kept.refresh_token is not None
    assert f"{server.url}/auth?" in told[0]
    (asked,) = [one for one in server.asked if one.path == "/auth"]
    assert asked.query["redirect_uri"].startswith("http://127.0.0.1:")
    assert asked.query["code_challenge_method"] == "S256"
    assert asked.query["login_hint"] == "support"


def test_only_the_answer_to_our_own_question_is_taken(server: TokenServer, tmp_path: Path) -> None:
    refused: list[int] = []

    def opens(url: str) -> None:
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
        back = query["redirect_uri"]
        for path in ("favicon.ico", "?state=wrong&code=evil", "?code=evil", "?state=&code=evil"):
            try:
                browser(back + path)
            except urllib.error.HTTPError as fault:
                refused.append(fault.code)
                fault.close()
        browser(url)

    made, _, _ = login(server, tmp_path, opens)
    made.run("browser")
    assert refused == [404] * 4
    assert [one.form["code"] for one in server.asked if one.path == "/token"] != ["evil"]


def test_who_says_no_in_the_browser_is_understood(server: TokenServer, tmp_path: Path) -> None:
    server.denies = "access_denied"
    made, _, _ = login(server, tmp_path)
    with pytest.raises(
        AccountRefused, match=r"access_denied: The user said no\): it was not allowed there"
    ):
        made.run("browser")
    assert store_of(made.oauth).load() is None


def test_nobody_waits_for_ever(server: TokenServer, tmp_path: Path) -> None:
    made, _, _ = login(server, tmp_path, lambda _url: None, limit_s=0.05)
    with pytest.raises(ChannelFault, match="nobody allowed it"):
        made.run("browser")


def test_a_code_on_another_device_is_waited_for_as_the_server_asks(
    server: TokenServer, tmp_path: Path
) -> None:
    server.device_answers = ["authorization_pending", "slow_down", "authorization_pending"]
    server.faults = []
    made, told, slept = login(server, tmp_path)
    made.run("device")
    assert slept == [5, 5, 10, 10]
    assert "ABCD-1" in told[0]
    assert f"{server.url}/enter" in told[0]
    kept = store_of(made.oauth).load()
    assert kept is not None
    assert server.user_of(kept.access_token) == "support"


def test_a_server_that_stumbles_while_we_wait_is_asked_again(
    server: TokenServer, tmp_path: Path
) -> None:
    server.faults = [(503, "temporarily_unavailable", "")]
    made, _, slept = login(server, tmp_path)
    made.run("device")
    assert len(slept) == 2


@pytest.mark.parametrize(
    ("answer", "said"),
    [("expired_token", "try again"), ("access_denied", "it was not allowed there")],
)
def test_a_code_that_comes_to_nothing_is_said_to(
    server: TokenServer, tmp_path: Path, answer: str, said: str
) -> None:
    server.device_answers = ["authorization_pending", answer]
    made, _, _ = login(server, tmp_path)
    with pytest.raises(AccountRefused, match=said):
        made.run("device")
    server.device_answers = ["authorization_pending"] * 1000
    with pytest.raises(AccountRefused, match="not entered in time"):
        made.run("device")


def test_a_wrong_client_is_named_with_what_to_check(server: TokenServer, tmp_path: Path) -> None:
    server.client_id = "another"
    made, _, _ = login(server, tmp_path)
    server.client_id = "desk"
    with pytest.raises(AccountRefused, match="invalid_client"):
        made.run("device")


def test_the_ways_of_the_providers() -> None:
    google = OAuthSettings("google", "id", keyring="x")
    microsoft = OAuthSettings("microsoft", "id", keyring="x", tenant="example.org")
    assert ways_of(google) == ("browser",)
    assert ways_of(microsoft) == ("browser", "device")
    url, _, _ = authorization_url(
        endpoints_of(google), google, "http://127.0.0.1:1/", "a@example.org"
    )
    assert "access_type=offline" in url
    assert endpoints_of(microsoft).device_url == (
        "https://login.microsoftonline.com/example.org/oauth2/v2.0/devicecode"
    )
    with pytest.raises(SettingsError, match="its provider knows browser"):
        Login(google, "support", "u", print).run("device")
