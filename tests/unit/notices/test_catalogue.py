"""Every alarm has its texts, and every text its words."""

import inspect
import re
from string import Formatter

import pytest

from epspot.control import diagnosis, silence
from epspot.control.finding import Finding
from epspot.notices.alarms import CATALOGUE, LANGUAGES, Audience, Certainty, Entry, Severity, Text, render
from tests.unit.domain.ills import ILLS, Ground, Ill

ENTRIES = list(CATALOGUE.values())
OTHERS = {"cap_unmet"}
"""Lasting codes that no yard can play yet."""


def code(entry: Entry) -> str:
    return entry.code


def texts(entry: Entry) -> list[str]:
    return [t for text in (entry.sv, entry.en) for t in (text.title, text.what, text.advice)]


def words(text: Text) -> set[str]:
    """List what stands in braces in a text."""
    parts = (text.title, text.what, text.advice)
    return {name for part in parts for _, name, _, _ in Formatter().parse(part) if name is not None}


def found(ill: Ill) -> Finding:
    """Play an ill until it is found."""
    yard = Ground(ill.site(), before=ill.before)
    ill.begin(yard)
    yard.run(900)
    return yard.findings()[f"{ill.code}/{ill.about}"]


# -------------------------------------------------------------------- complete


def test_every_code_that_diagnosis_names_is_in_the_catalogue_and_none_else() -> None:
    """The catalogue holds what diagnosis can find and what happens in a moment, no more and no less."""
    source = "".join(inspect.getsource(m) for m in (diagnosis, silence))
    named = {*re.findall(r'Finding\(\s*"(\w+)"', source), *diagnosis.FAULTS.values()}
    assert named == {e.code for e in ENTRIES if not e.momentary}


def test_every_lasting_code_has_been_played() -> None:
    """No code is in the catalogue that a site has not been seen to raise."""
    assert {ill.code for ill in ILLS} | OTHERS == {e.code for e in ENTRIES if not e.momentary}


@pytest.mark.parametrize("entry", ENTRIES, ids=code)
def test_every_text_is_there_in_both_languages(entry: Entry) -> None:
    """Titles, texts and advice are whole sentences in Swedish and in English, and differ."""
    for sv, en in zip(texts(entry)[:3], texts(entry)[3:], strict=True):
        assert sv != en
        assert min(len(sv), len(en)) >= 10
    for part in (entry.sv.what, entry.sv.advice, entry.en.what, entry.en.advice):
        assert part.endswith(".")
        assert part == " ".join(part.split())


@pytest.mark.parametrize("entry", ENTRIES, ids=code)
def test_both_languages_tell_the_same_values(entry: Entry) -> None:
    """What is told in one language is told in the other, and each title names its subject."""
    assert words(entry.sv) == words(entry.en)
    for text in (entry.sv, entry.en):
        assert "{about}" in text.title


@pytest.mark.parametrize("entry", ENTRIES, ids=code)
def test_times_and_audiences_fit(entry: Entry) -> None:
    """Somebody is told; danger is told within seconds, and to those who can mend it; no time is negative."""
    assert entry.audience
    assert min(entry.raise_after_s, entry.clear_after_s) >= 0
    if entry.severity is Severity.DANGER:
        assert entry.raise_after_s <= 15
        assert entry.audience >= {Audience.OWNER, Audience.MAINTENANCE}
    if entry.momentary:
        assert entry.raise_after_s == 0
        assert entry.clear_after_s > 0


def test_codes_are_unique() -> None:
    """Each code stands once."""
    assert len(CATALOGUE) == len({e.sv.title for e in ENTRIES}) == len({e.en.title for e in ENTRIES})


# -------------------------------------------------------------------- written


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("ill", ILLS, ids=lambda i: f"{i.code}-{i.certainty}-{i.about}")
def test_nothing_is_left_to_fill_in(ill: Ill, language: str) -> None:
    """What diagnosis finds holds every value that its text asks for."""
    finding = found(ill)
    title, text = render(finding.code, "17", finding.detail, language)
    assert "17" in title
    assert not {"{", "}", "?"} & set(title + text)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("entry", [e for e in ENTRIES if e.momentary or e.code in OTHERS], ids=code)
def test_what_happens_in_a_moment_needs_no_values(entry: Entry, language: str) -> None:
    """A momentary alarm's text is whole without any detail."""
    title, text = render(entry.code, "17", {}, language)
    assert not {"{", "}", "?"} & set(title + text)


def test_how_sure_it_is_stands_between_what_it_is_and_what_to_do() -> None:
    """A cause that is not certain is said to be so; one that is certain needs no word."""
    sure = {c: render("rcbo_or_module", "3", {"certainty": c.value}, "en")[1] for c in Certainty}
    assert "broken. The cause is probable, but not certain. See whether" in sure[Certainty.PROBABLE]
    assert "broken. The cause is possible, but it may be something else. See whether" in sure[Certainty.POSSIBLE]
    assert "broken. See whether" in sure[Certainty.CERTAIN]
    assert sure[Certainty.CERTAIN] == render("rcbo_or_module", "3", {}, "en")[1]


def test_numbers_are_written_as_their_language_does() -> None:
    """Swedish has a decimal comma, English a point; whole numbers have neither."""
    detail = {"phase": "L2", "voltage_v": 198.43}
    assert "Senast mättes 198,4 V på L2." in render("voltage", "3", detail, "sv")[1]
    assert "Last measured: 198.4 V on L2." in render("voltage", "3", detail, "en")[1]
    assert ": 198 V on" in render("voltage", "3", detail | {"voltage_v": 198.0}, "en")[1]


def test_several_values_are_listed() -> None:
    """A list is written with commas."""
    assert render("phase_lost", "F1", {"phases": ["L1", "L3"]}, "sv")[0] == "Säkring F1: fas L1, L3 saknas"


def test_a_label_may_hold_anything() -> None:
    """What people call an outlet is written as it is, braces too."""
    assert render("relay_welded", "{x}", {}, "en")[0] == "Outlet {x}: the relay is welded"


def test_a_language_that_is_not_known_is_answered_in_english() -> None:
    """An alarm must be told, whatever language is asked for."""
    assert render("shed", "3", {}, "fi") == render("shed", "3", {}, "en")


def test_a_value_that_is_missing_is_told_as_unknown() -> None:
    """An alarm of an earlier version may lack a value; it is told all the same."""
    assert ": ? V on L1" in render("voltage", "3", {"phase": "L1"}, "en")[1]


def test_a_code_that_is_not_known_is_refused() -> None:
    """There is nothing to tell of a code that nobody has described."""
    with pytest.raises(KeyError, match="odd"):
        render("odd", "3", {}, "sv")
