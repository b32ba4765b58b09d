"""HTML mail as text."""

from __future__ import annotations

import time

import pytest

from channels.email.html_text import html_to_text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("<div>One</div><div>Two</div>", "One\nTwo"),
        ("One<br>Two<br><br>Three", "One\nTwo\n\nThree"),
        ("<div dir=ltr>a<div><br></div><div>b</div></div>", "a\n\nb"),
        ("a &amp; b&nbsp;&lt;c&gt;", "a & b <c>"),
        ("<b>a</b> <i>b</i>c", "a bc"),
        ("  a\n\n   b\t c ", "a b c"),
        ("<ul><li>a<li>b<ul><li>c</ul></ul>", "- a\n- b\n  - c"),
        ("<ol start=3><li>a<li>b</ol>", "3. a\n4. b"),
        ("<table><tr><td>a<td>b<tr><td>c<td>d</table>", "a | b\nc | d"),
        ("<table><tr><td><p>a</p></td><td><p>b</p></td></tr></table>", "a\n\nb"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ("x<hr>y", "x\n--------------------\ny"),
        (
            "<a href='https://evil.example/x'>https://bank.example</a>",
            "https://bank.example <https://evil.example/x>",
        ),
        ("<a href='https://a.example/'>https://a.example</a>", "https://a.example"),
        ("<a href='mailto:a@x.org'>a@x.org</a>", "a@x.org"),
        ("<a href='javascript:alert(1)'>click</a>", "click"),
        ("<img src='https://t.example/1.gif' width=1 height=1>x", "x"),
        ("<img src='cid:1' alt='Logo'>x", "[Logo]x"),
        ("<style>p{}</style><script>alert('no')</script><title>t</title>x", "x"),
        ("a<!-- hidden -->b", "ab"),
        ("<div style='display:none'>preview <b>x</b></div>y", "y"),
        ("<div style='DISPLAY : none'>no<br>no</div>y", "y"),
        ("<span style='font-size:0px'>no</span>y", "y"),
        ("<span style='font-size:0.9em'>yes</span>", "yes"),
        ("<p hidden>no</p>y", "y"),
        ("<div style='max-height:0;overflow:hidden'>no</div>y", "y"),
        ("a<span style='visibility:hidden'>no</span>b", "ab"),
        ("in&shy;visible&#8203;", "invisible"),
        ("", ""),
        ("< 5 and > 3", "< 5 and > 3"),
    ],
)
def test_rendering(markup: str, text: str) -> None:
    assert html_to_text(markup) == text


def test_quotes_show_their_depth() -> None:
    markup = (
        "<div>Yes</div><div class=gmail_quote><div>On Monday A wrote:<br></div>"
        "<blockquote>one<br>two"
        "<blockquote>older</blockquote></blockquote></div>after"
    )
    assert html_to_text(markup) == "Yes\nOn Monday A wrote:\n\n> one\n> two\n>\n> > older\n\nafter"


@pytest.mark.parametrize(
    "markup",
    [
        "<div>" * 100_000 + "x",
        "<" * 900_000,
        "<a" * 300_000,
        "<script>" * 100_000,
        "<!--" * 200_000,
        "&" * 500_000,
        "<table><tr><td>" * 400 + "x",
        "x" * 2_000_000,
        "<p style='" + "a" * 500_000,
        "<b>" * 400 + "<table>" * 90,
    ],
)
def test_hostile_markup_is_cheap(markup: str) -> None:
    begin = time.process_time()
    text = html_to_text(markup)
    assert time.process_time() - begin < 4
    assert isinstance(text, str)


def test_what_is_too_large_or_too_deep_loses_only_its_tags() -> None:
    assert html_to_text("<div>" * 600 + "deep &amp; dark") == "deep & dark"
    assert html_to_text("<p>a</p><script>x</script><br>" + "<i>b</i>" * 150_000)[:3] == "a\nb"


def test_surrogates_and_nul_do_not_raise() -> None:
    assert "b" in html_to_text("a\ud800\0b")
