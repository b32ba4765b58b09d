"""Asking web servers: https only, few redirects, limits."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest

from channels.web import Page, Web, WebFault
from tests.servers.tls import Certificate, make_certificate
from tests.servers.web import Answer, Asked, WebServer


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("named"), "a.example.org", "b.example.org")


def ask(named: Certificate, page: Callable[[Asked], Answer], url: str, **limits: float) -> Page:
    with WebServer(page, named.server_context()) as server:
        web = Web(dial=server.dial, context=named.client_context(), **limits)  # type: ignore[arg-type]
        return web.get(url)


def test_a_page_comes_over_tls_with_its_status(named: Certificate) -> None:
    page = ask(named, lambda asked: Answer(asked.host.encode(), 404), "https://a.example.org/x")
    assert page == Page(404, b"a.example.org")


def test_a_certificate_for_another_name_is_refused(named: Certificate) -> None:
    with pytest.raises(WebFault, match=r"c\.example\.org cannot be asked \(its certificate"):
        ask(named, lambda _: Answer(b"x"), "https://c.example.org/")


def test_three_redirects_are_followed_and_no_more(named: Certificate) -> None:
    def page(asked: Asked) -> Answer:
        number = int(asked.path[1:])
        return (
            Answer(b"end")
            if number == 0
            else Answer(b"", 302, {"Location": f"https://b.example.org/{number - 1}"})
        )

    assert ask(named, page, "https://a.example.org/3").body == b"end"
    assert ask(named, page, "https://a.example.org/4").status == 302


@pytest.mark.parametrize(
    "place", ["http://a.example.org/", "file:///etc/passwd", "ftp://a.example.org/"]
)
def test_nothing_leads_away_from_https(named: Certificate, place: str) -> None:
    with contextlib.suppress(WebFault):
        page = ask(named, lambda _: Answer(b"", 302, {"Location": place}), "https://a.example.org/")
        assert (page.status, page.body) == (302, b"")
    with pytest.raises(WebFault, match="only https is"):
        Web().get(place)


def test_a_page_without_end_is_not_taken(named: Certificate) -> None:
    with pytest.raises(WebFault, match="answered with more than 1 KB"):
        ask(named, lambda _: Answer(b"x" * 5000), "https://a.example.org/", largest=1000)


def test_a_server_that_never_answers_is_given_up(tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        web = Web(
            dial=lambda _h, _p, s: socket.create_connection(("127.0.0.1", port), s), limit_s=0.3
        )
        with pytest.raises(WebFault, match="it does not answer"):
            web.get("https://a.example.org/")


def test_forms_are_posted_and_their_redirects_not_followed() -> None:
    def page(asked: Asked) -> Answer:
        return (
            Answer(repr(asked.form).encode())
            if asked.path == "/"
            else Answer(b"", 307, {"Location": "/"})
        )

    with WebServer(page) as server:
        web = Web()
        url = f"http://127.0.0.1:{server.port}"
        assert web.post(f"{url}/", {"a": "1 2"}).body == b"{'a': '1 2'}"
        assert web.post(f"{url}/away", {"secret": "x"}).status == 307
        assert len(server.asked) == 2
