"""What should be looked at again: told where it is wrong, silent where it is right."""

from __future__ import annotations

import pytest

from workflow.doubts import Letter, doubts
from workflow.inbound import Party


def codes(text: str, **changes: object) -> list[str]:
    usual: dict[str, object] = {"subject": "Re: Invoice", "people": ("Maria Silva",), "agents": ("ana", "Ben Okafor"),
                                "to": (Party("", "maria@customer.example"),)}  # fmt: skip
    return [each.code for each in doubts(Letter(text, **{**usual, **changes}))]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    ["Please find attached the invoice.", "See the attachment", "I have enclosed it", "Im Anhang finden Sie",
     "anbei die Rechnung", "beigefügt das Dokument", "in der Anlage", "Veuillez trouver ci-joint", "la pièce jointe",
     "adjunto la factura", "os archivos adjuntos", "Segue em anexo", "in allegato", "zie de bijlage",
     "w załączniku", "Załączam fakturę", "Во вложении счёт", "прилагаю файл", "请见附件", "添付ファイル"],
)  # fmt: skip
def test_an_attachment_that_is_spoken_of(text: str) -> None:
    assert codes(text) == ["attachment"]
    assert codes(text, files=1) == []
    assert codes(f"Thanks!\n\n> {text}\n>> {text}") == []


@pytest.mark.parametrize("text", ["It is detached.", "Die Anlagenliste", "We were attacked", ""])
def test_no_attachment_is_spoken_of(text: str) -> None:
    assert codes(text) == []


@pytest.mark.parametrize(
    "text",
    ["Hello Bob,", "Hi Bob!", "Dear Mr Miller,", "Hallo Bob,", "Liebe Anna,", "Sehr geehrter Herr Müller,",
     "Bonjour Bob,", "Cher Paul,", "Hola Pedro,", "Estimada Lucía:", "Olá João,", "Ciao Marco,", "Beste Jan,",
     "Cześć Tomek,", "\n\n  Hi Bob,\n\nMaria", "Hi Ben,\nplease look at this", "Good morning Bob,"],
)  # fmt: skip
def test_a_greeting_of_somebody_else(text: str) -> None:
    assert codes(text) == ["greeting"]


@pytest.mark.parametrize(
    "text",
    ["Hello Maria,", "hi maria", "Dear Ms. Silva,", "Hallo Frau Silva,", "Sehr geehrte Frau Dr. Silva,",
     "Hello,", "Hi there,", "Dear customer,", "Hello everybody,", "Dear Sir or Madam,",
     "Sehr geehrte Damen und Herren,", "Hello, Your invoice is paid.", "Hi! Bob is here.", "Hello, thank you",
     "Bob told me", "Dearest", "Hello Mária,", "Guten Tag Maria Silva,", "Здравствуйте, Мария!", "尊敬的王女士：",
     "Cara Maria,", "Hello Maria Silva-Santos,", "> Hello Bob,\n\nThanks Maria", "Hola", ""],
)  # fmt: skip
def test_a_greeting_that_fits(text: str) -> None:
    assert codes(text) == []


def test_a_greeting_fits_any_name_that_is_known() -> None:
    assert codes("Hi Bob,", to=(Party("Bob Miller", "b@x.example"),)) == []
    assert codes("Hi Bob,", to=(Party("", "bob.miller@x.example"),)) == []
    assert codes("Hi Max,", people=("Maximilian Weiß",)) == []
    assert codes("Hallo Frau Weiss,", people=("Maximiliane Weiß",)) == []
    assert codes("田中様", people=("田中 太郎",)) == []
    assert codes("佐藤様", people=("田中 太郎",)) == ["greeting"]
    # Nothing is known of whoever writes from info@.
    assert codes("Hi Bob,", people=(), to=(Party("", "info@x.example"),)) == []
    # A colleague in Cc is nobody to greet in a mail to a customer.
    assert codes("Hi Ben,", cc=(Party("Ben Okafor", "ben@desk.example"),)) == ["greeting"]
    assert codes("Hi Ben,", people=("Ben Silva",)) == []


def test_an_empty_subject() -> None:
    assert codes("x", subject="Re: ") == ["subject"]
    assert codes("x", subject="AW: Re:") == ["subject"]
    assert codes("x", subject="", has_subject=False) == []


def test_all_of_it_in_sentences() -> None:
    found = doubts(
        Letter("Hi Bob,\nsee the attachment", subject="", people=("Maria\x1b[31m Silva",))
    )
    assert [each.code for each in found] == ["attachment", "greeting", "subject"]
    said = "; ".join(each.sentence for each in found)
    assert "'Bob', and it goes to Maria" in said
    assert "\x1b" not in said
