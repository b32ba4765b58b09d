"""What a word is: folding, pairs, and that SQLite's full text splits exactly as we do."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from workflow.query.terms import (
    fold,
    fts5_expression,
    people_text,
    searchable,
    term,
    word_line,
    words,
)

TEXTS = {
    "en": "Please refund my order ORD-5518, it's e-mail_2 only.",
    "de": "Bitte um Rückerstattung, Straße 12, GRÖSSE, Füße.",
    "fr": "L’été dernier, débité à Besançon: œuvre",
    "es": "¿Dónde está el Señor Núñez?",
    "ru": "Прошу возврат. Ещё раз: Йогурт",
    "ja": "返金請求をお願いします。ﾃﾞｰﾀが壊れた。注文ORD5518番",
    "ko": "환불을 부탁드립니다",
    "th": "ขอเงินคืน",
    "hi": "हिन्दी में धनवापसी",
}

FOUND = [
    ("en", "order"),
    ("en", "ORD-5518"),
    ("en", "ord 5518"),
    ("en", "5518"),
    ("en", "it's"),
    ("en", "mail"),
    ("de", "Ruckerstattung"),
    ("de", "Rückerstattung"),
    ("de", "Ru\u0308ckerstattung"),
    ("de", "strasse"),
    ("de", "größe"),
    ("de", "grosse"),
    ("de", "FÜSSE"),
    ("de", "Rück\u00aderstattung"),
    ("fr", "ete"),
    ("fr", "besancon"),
    ("fr", "oeuvre"),
    ("fr", "DÉBITÉ"),
    ("es", "donde"),
    ("es", "nunez"),
    ("es", "Señor"),
    ("ru", "ВОЗВРАТ"),
    ("ru", "еще"),
    ("ru", "йогурт"),
    ("ja", "返金"),
    ("ja", "返"),
    ("ja", "請求"),
    ("ja", "返金請求を"),
    ("ja", "金請求"),
    ("ja", "データ"),
    ("ja", "ORD5518"),
    ("ja", "番"),
    ("ja", "た"),
    ("ja", "注文 ord5518"),
    ("ko", "환불"),
    ("ko", "환불을"),
    ("ko", "부"),
    ("th", "เงิน"),
    ("hi", "हिन्दी"),
]
NOT_FOUND = [
    ("en", "ord-551"),
    ("en", "refunds"),
    ("en", "my refund"),
    ("de", "strass"),
    ("ru", "возвра"),
    ("ja", "金返"),
    ("ja", "テータ"),
    ("ja", "返金お願い"),
    ("ko", "불환"),
]


@pytest.fixture(scope="module")
def full_text():
    connection = sqlite3.connect(":memory:")
    connection.execute(
        "CREATE VIRTUAL TABLE message_fts USING fts5(body, content='', tokenize='ascii')"
    )
    connection.execute("CREATE VIRTUAL TABLE vocabulary USING fts5vocab(message_fts, 'instance')")
    for row, text in enumerate(TEXTS.values()):
        connection.execute(
            "INSERT INTO message_fts(rowid, body) VALUES (?, ?)", (row, searchable(text))
        )
    yield connection
    connection.close()


def languages_with(connection, wanted):
    rows = connection.execute(
        "SELECT rowid FROM message_fts WHERE message_fts MATCH ?", (fts5_expression(wanted),)
    )
    return {list(TEXTS)[row] for (row,) in rows}


@pytest.mark.parametrize(("language", "typed"), FOUND)
def test_words_are_found_whatever_the_accents_and_case(full_text, language, typed):
    wanted = term(typed)
    assert language in languages_with(full_text, wanted)
    assert wanted.found_in(word_line(TEXTS[language]))


@pytest.mark.parametrize(("language", "typed"), NOT_FOUND)
def test_what_is_not_there_is_not_found(full_text, language, typed):
    wanted = term(typed)
    assert language not in languages_with(full_text, wanted)
    assert not wanted.found_in(word_line(TEXTS[language]))


@pytest.mark.parametrize(
    ("language", "typed"), [("en", "ref"), ("en", "order ord"), ("de", "RUCK"), ("ru", "возв")]
)
def test_a_prefix_finds_what_goes_on(full_text, language, typed):
    wanted = term(typed, prefix=True)
    assert language in languages_with(full_text, wanted)
    assert wanted.found_in(word_line(TEXTS[language]))


def test_pairs_are_as_documented():
    assert searchable("返金請求").split() == ["返金", "金請", "請求", "求"]
    assert term("返金請求").tokens == ("返金", "金請", "請求")
    assert term("返").prefix
    assert not term("返金").prefix


@pytest.mark.parametrize("text", ["", "!?", "…", "—", "❤️", "\u0301", "\ufe0f", "🙂"])
def test_what_has_no_letter_is_no_word(text):
    assert term(text).tokens == ()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("MÜLLER", "muller"),
        ("Łukasz Ørsted", "lukasz orsted"),
        ("ＡＢＣ①", "abc1"),
        ("ﾃﾞｰﾀ", "データ"),
        ("ﬁn", "fin"),
        ("İstanbul", "istanbul"),
        ("ΟΔΟΣ", "οδος"),
        ("한글", "한글"),
    ],
)
def test_names_fold(one, other):
    assert fold(one) == fold(other)


def test_people_are_found_by_name_and_address():
    line = word_line(people_text("ana", "Jörg", "joerg@x.example", [["Bo", "bo@y.example"]]))
    assert all(
        term(typed).found_in(line) for typed in ("ana", "jorg", "joerg@x.example", "bo@y.example")
    )


ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40)


@given(text=ANY_TEXT | st.text("aßé返金ガﾞ한\u0301\u3099ｶ -_\"'.", max_size=20))
@example(text="ｶﾞ ガ が か\u3099")
def test_sqlite_splits_into_the_very_same_words(text):
    connection = sqlite3.connect(":memory:")
    connection.execute(
        "CREATE VIRTUAL TABLE message_fts USING fts5(body, content='', tokenize='ascii')"
    )
    connection.execute("CREATE VIRTUAL TABLE vocabulary USING fts5vocab(message_fts, 'instance')")
    connection.execute("INSERT INTO message_fts(rowid, body) VALUES (1, ?)", (searchable(text),))
    found = [row[0] for row in connection.execute("SELECT term FROM vocabulary ORDER BY offset")]
    connection.close()
    assert found == words(searchable(text))


@given(text=ANY_TEXT)
def test_a_text_is_found_by_itself(text):
    wanted = term(text)
    assert not wanted.tokens or wanted.found_in(word_line(text))
    assert fold(fold(text)) == fold(text)
