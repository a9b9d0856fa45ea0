"""Which files make up a template, and in which language."""

from __future__ import annotations

import os

import pytest

from engine.templates.faults import TemplateError
from engine.templates.folder import Folder
from engine.templates.names import languages

from .conftest import Kitchen


def test_a_template_is_a_subject_a_text_and_html(kitchen: Kitchen) -> None:
    kitchen.write(t_subject="Hello {{ person.first_name }}", t_txt="Text", t_html="<p>Html</p>")
    made = kitchen.render()
    assert made is not None
    assert (made.subject, made.text, made.html) == ("Hello Ana", "Text", "<p>Html</p>")


def test_parts_that_are_not_there_are_none(kitchen: Kitchen) -> None:
    kitchen.write(t_txt="Text")
    made = kitchen.render()
    assert made is not None
    assert (made.subject, made.text, made.html) == (None, "Text", None)


def test_a_name_without_files_is_no_template(kitchen: Kitchen) -> None:
    kitchen.write(t_txt="Text")
    assert kitchen.render("u") is None


def test_a_subject_alone_is_no_message(kitchen: Kitchen) -> None:
    kitchen.write(t_subject="Hello")
    with pytest.raises(TemplateError, match="a subject and nothing else"):
        kitchen.render()


def test_names_may_have_folders(kitchen: Kitchen) -> None:
    kitchen.file("shop/spring/t.txt", "Spring")
    made = kitchen.render("shop/spring/t")
    assert made is not None
    assert made.text == "Spring"


@pytest.mark.parametrize(
    "name",
    ["../secret", "a/../../secret", "/etc/passwd", "", ".", "..", "a//b", "a/", "/", ".hidden", "a\\..\\b", "C:secret",
     "a\0", "a\n", "a/" * 11 + "b", "a" * 101],
)  # fmt: skip
def test_no_name_leads_out_of_the_folder(kitchen: Kitchen, name: str) -> None:
    kitchen.folder.mkdir()
    (kitchen.folder.parent / "secret.txt").write_text("secret")
    assert kitchen.render(name) is None


VARIANTS = {
    "pl-PL": "Polska",
    "pl_PL": "Polska",
    "PL-pl": "Polska",
    "pl": "polski",
    "pl-XX": "polski",
    "pl_PL_x": "Polska",
    "PL": "polski",
    "de": "default",
    "de-AT": "default",
    "": "default",
    "p": "default",
    "../pl": "default",
    "pl/../pl": "default",
    "pl.html": "default",
    "pl\0": "default",
    "pl\n": "default",
    "pl-" + "x" * 1_000_000: "default",
    "pl" + "-x" * 30: "default",
}


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda one: repr(one[:12]))
def test_the_language_picks_the_closest_file_there_is(kitchen: Kitchen, variant: str) -> None:
    kitchen.file("t.txt", "default")
    kitchen.file("t.pl.txt", "polski")
    kitchen.file("t.pl-PL.txt", "Polska")
    made = kitchen.render(variant=variant)
    assert made is not None
    assert made.text == VARIANTS[variant]


@pytest.mark.parametrize("variant", [None, 3, True, ["pl"], {"pl": 1}, 1.5])
def test_what_is_no_text_is_no_language(kitchen: Kitchen, variant: object) -> None:
    kitchen.file("t.txt", "default")
    kitchen.file("t.pl.txt", "polski")
    made = kitchen.render(variant=variant)
    assert made is not None
    assert made.text == "default"


def test_files_may_write_their_language_as_they_like(kitchen: Kitchen) -> None:
    kitchen.file("t.txt", "default")
    kitchen.file("t.pt_BR.txt", "Brasil")
    made = kitchen.render(variant="pt-br")
    assert made is not None
    assert made.text == "Brasil"


def test_no_message_mixes_bodies_of_two_languages(kitchen: Kitchen) -> None:
    kitchen.write(t_txt="Text", t_html="Html")
    kitchen.file("t.pl.html", "Po polsku")
    made = kitchen.render(variant="pl-PL")
    assert made is not None
    assert (made.subject, made.text, made.html) == (None, None, "Po polsku")


@pytest.mark.parametrize(("files", "subject"), [
    ({"t.subject": "Hello"}, "Hello"),
    ({"t.subject": "Hello", "t.pl.subject": "Witaj", "t.pl-PL.html": "Po polsku"}, "Witaj"),
    ({"t.subject": "Hello", "t.de.subject": "Hallo", "t.de.txt": "Deutsch"}, "Hello"),
    ({"t.subject": "", "t.pl.subject": "Witaj"}, "Witaj"),
])  # fmt: skip
def test_a_subject_that_is_missing_falls_back(kitchen: Kitchen, files: dict[str, str], subject: str) -> None:
    kitchen.write(t_txt="Text", t_html="Html")
    for name, text in {"t.pl.html": "Po polsku", **files}.items():
        kitchen.file(name, text)
    made = kitchen.render(variant="pl-PL")
    assert made is not None
    assert (made.subject, made.text, made.html) == (subject, None, "Po polsku")


def test_a_template_in_other_languages_only_is_an_error(kitchen: Kitchen) -> None:
    kitchen.file("t.pl.txt", "polski")
    with pytest.raises(TemplateError, match="in other languages only"):
        kitchen.render(variant="de")


def test_a_dot_in_a_name_is_no_language_by_itself(kitchen: Kitchen) -> None:
    kitchen.file("t.v2.txt", "second")
    assert kitchen.render("t") is None
    made = kitchen.render("t.v2")
    assert made is not None
    assert made.text == "second"


def test_the_closest_language_comes_first() -> None:
    assert languages("zh_Hant-TW") == ["zh-hant-tw", "zh-hant", "zh"]


def test_every_template_is_listed_once_whatever_its_parts_and_languages(kitchen: Kitchen) -> None:
    for name in ("a.txt", "a.html", "a.pl.html", "b/c.subject", "b/c.txt", "notes.md", ".hidden.txt"):
        kitchen.file(name, "")
    assert Folder(kitchen.folder).names() == ["a", "b/c"]
    assert Folder(kitchen.folder / "nowhere").names() == []


def test_what_is_taken_in_is_of_the_same_kind_and_language(kitchen: Kitchen) -> None:
    kitchen.write(t_txt="{% render 'parts/end' %}", t_html="{% render 'parts/end' %}")
    kitchen.file("t.pl.txt", "{% include 'parts/end' %}")
    kitchen.file("t.de.txt", "{% render 'parts/end' %}")
    kitchen.file("parts/end.txt", "Bye {{ person.name }}")
    kitchen.file("parts/end.html", "Bye {{ person.name }}")
    kitchen.file("parts/end.pl.txt", "Pa")
    texts = [kitchen.render(variant=variant) for variant in (None, "pl", "de")]
    assert [made and made.text for made in texts] == ["Bye <b>&\"'", "Pa", "Bye <b>&\"'"]
    assert texts[0] is not None
    assert texts[0].html == "Bye &lt;b&gt;&amp;&#34;&#39;"


def test_an_edited_file_counts_at_once(kitchen: Kitchen) -> None:
    path = kitchen.file("t.txt", "{% render 'end' %} one")
    end = kitchen.file("end.txt", "end")
    before = kitchen.render()
    path.write_text("{% render 'end' %} two")
    os.utime(path, ns=(1, 1))
    after = kitchen.render()
    end.write_text("END")
    os.utime(end, ns=(2, 2))
    last = kitchen.render()
    assert [made and made.text for made in (before, after, last)] == ["end one", "end two", "END two"]


def test_a_file_that_has_not_changed_is_read_once(kitchen: Kitchen) -> None:
    path = kitchen.file("t.txt", "once")
    kitchen.render()
    stamp = path.stat()
    path.write_text("else")
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    made = kitchen.render()
    assert made is not None
    assert made.text == "once"


def test_a_file_may_have_as_many_bytes_as_the_setting_says(kitchen: Kitchen) -> None:
    kitchen.limit(file_bytes=4)
    assert kitchen.text("żó") == "żó"
    with pytest.raises(TemplateError, match=r"t\.txt:1:1: a template has at most 4 bytes, and this one 5"):
        kitchen.text("żó!")


def test_a_file_is_text(kitchen: Kitchen) -> None:
    kitchen.file("t.txt", "").write_bytes(b"\xff\xfe")
    with pytest.raises(TemplateError, match="it is not UTF-8"):
        kitchen.render()


def test_a_byte_order_mark_is_no_text(kitchen: Kitchen) -> None:
    assert kitchen.text("\ufeffHello") == "Hello"
