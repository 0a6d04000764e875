"""Spot prices out of files and from Nord Pool; its server stands on this machine."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from epspot.adapters.prices import FilePrices, NoPrices, NordpoolPrices
from epspot.errors import SourceUnavailable
from tests.loopback import Answer, Served, served
from tests.outlooks import nordpool

NOON = int(datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp())
HOUR = 3600
TODAY, TOMORROW = date(2026, 11, 24), date(2026, 11, 25)


@pytest.fixture
def market(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """Run a Nord Pool that has published today's prices: 453.17 SEK/MWh throughout."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with served(nordpool({TODAY: lambda _: 453.17})) as server:
        yield server


def file(folder: Path, *lines: str) -> FilePrices:
    """Write a file of prices for SE3."""
    (folder / "SE3.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return FilePrices(folder)


# ------------------------------------------------------------------ files


def test_a_file_tells_what_begins_within_the_time(tmp_path: Path) -> None:
    """Times may have any offset; what begins before the time or at its end is left out."""
    prices = file(
        tmp_path,
        "start,ore_per_kwh",
        "2026-11-24T12:00:00+01:00,1",
        "2026-11-24T13:00:00+01:00,45.31",
        "2026-11-24T13:00:00Z,-2.5",
        "2026-11-24T15:00:00+01:00,3",
    )
    assert prices.series("SE3", NOON, NOON + 2 * HOUR) == [(NOON, 45.31), (NOON + HOUR, -2.5)]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("2026-11-24T13:00:00+01:00,dear", "line 3, column ore_per_kwh: 'dear'"),
        ("2026-11-24T13:00:00+01:00,nan", "line 3, column ore_per_kwh: 'nan'"),
        ("2026-11-24T13:00:00+01:00,", "line 3, column ore_per_kwh: ''"),
        ("2026-11-24T13:00:00,45", "line 3, column start: '2026-11-24T13:00:00'"),
        ("yesterday,45", "line 3, column start: 'yesterday'"),
        ("2026-11-24T12:00:00+01:00,45", "line 3, column start: 2026-11-24T12:00:00+01:00 is not later"),
        ("2026-11-24T13:00:00+01:00,45,31", "line 3: 3 columns"),
        ("2026-11-24T13:00:00+01:00", "line 3: 1 columns"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, line: str, complaint: str) -> None:
    """An error says in which file, line and column it is, and what stands there."""
    prices = file(tmp_path, "start,ore_per_kwh", "2026-11-24T12:00:00+01:00,1", line)
    with pytest.raises(SourceUnavailable) as error:
        prices.series("SE3", NOON, NOON + HOUR)
    assert str(error.value).startswith(f"{tmp_path / 'SE3.csv'}, {complaint}")


def test_wrong_columns_are_named(tmp_path: Path) -> None:
    """A file of another kind is refused at its first line, an empty one too."""
    for header in ("start,celsius", ""):
        with pytest.raises(SourceUnavailable, match="line 1: the columns are"):
            file(tmp_path, header).series("SE3", NOON, NOON + HOUR)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A missing file, one that is no text, and an area that is no name of a file are refused, each with what to do."""
    with pytest.raises(SourceUnavailable, match=r"SE4\.csv can't be read .*: put the file there"):
        FilePrices(tmp_path).series("SE4", NOON, NOON + HOUR)
    (tmp_path / "SE3.csv").write_bytes(b"start,ore_per_kwh\xff\xff")
    with pytest.raises(SourceUnavailable, match="UTF-8"):
        FilePrices(tmp_path).series("SE3", NOON, NOON + HOUR)
    with pytest.raises(SourceUnavailable, match="set the site's price_area"):
        FilePrices(tmp_path).series("../SE3", NOON, NOON + HOUR)


def test_without_a_source_nothing_is_known() -> None:
    """Where no prices are wanted, there are none."""
    assert list(NoPrices().series("SE3", NOON, NOON + HOUR)) == []


# ------------------------------------------------------------------ Nord Pool


def test_kronor_per_megawatt_hour_become_ore_per_kilowatt_hour(market: Served) -> None:
    """453.17 SEK/MWh is exactly 45.317 öre/kWh, in the market's quarters."""
    told = NordpoolPrices(market.url).series("SE3", NOON, NOON + HOUR)
    assert told == [(NOON + n * 900, 45.317) for n in range(4)]


def test_what_is_asked_of_nord_pool(market: Served) -> None:
    """The market's days are asked in order, in kronor and quarters, up to the first that is not published."""
    NordpoolPrices(market.url).series("SE3", NOON, NOON + 48 * HOUR)
    assert [(a.query["date"], a.query["indexNames"]) for a in market.asked] == [
        ("2026-11-24", "SE3"),
        ("2026-11-25", "SE3"),
    ]
    assert {(a.query["currency"], a.query["resolutionInMinutes"]) for a in market.asked} == {("SEK", "15")}


def test_a_market_s_day_begins_at_its_own_midnight(market: Served) -> None:
    """An hour before midnight UTC belongs to the next day of the market."""
    market.answer = nordpool({TODAY: lambda _: 10.0, TOMORROW: lambda at: at / 900 % 4})
    late = NOON + 11 * HOUR
    assert [price for _, price in NordpoolPrices(market.url).series("SE3", late, late + HOUR)] == [0.0, 0.1, 0.2, 0.3]
    assert [a.query["date"] for a in market.asked] == ["2026-11-25"]


@pytest.mark.parametrize("status", [403, 429, 500, 503])
def test_a_market_that_refuses_is_unavailable(market: Served, status: int) -> None:
    """A refusal is told with its status."""
    market.answer = lambda _: Answer(status=status)
    with pytest.raises(SourceUnavailable, match=f"{status}.*asked again"):
        NordpoolPrices(market.url).series("SE3", NOON, NOON + HOUR)


def test_a_market_that_is_away_is_unavailable(market: Served) -> None:
    """A server that does not take the connection is told of."""
    with pytest.raises(SourceUnavailable, match="does not answer for SE3 on 2026-11-24"):
        NordpoolPrices("http://127.0.0.1:1").series("SE3", NOON, NOON + HOUR)
    assert market.asked == []


def test_an_answer_of_another_form_is_unavailable(market: Served) -> None:
    """An answer that is no JSON, has no prices in it, or is in another currency is never taken for prices."""
    market.answer = lambda _: Answer(b"<html>")
    with pytest.raises(SourceUnavailable, match="does not answer"):
        NordpoolPrices(market.url).series("SE3", NOON, NOON + HOUR)
    entry = b'{"deliveryStart": "2026-11-24T12:00:00Z", "deliveryEnd": "2026-11-24T12:15:00Z", "entryPerArea": {"SE3": null}}'
    for body in (
        b'{"currency": "SEK", "multiIndexEntries": [{}]}',
        b'{"currency": "SEK", "multiIndexEntries": [%b]}' % entry,
        b"[]",
    ):
        market.answer = lambda _, body=body: Answer(body)  # type: ignore[misc]
        with pytest.raises(SourceUnavailable, match="another form"):
            NordpoolPrices(market.url).series("SE3", NOON, NOON + HOUR)
    market.answer = nordpool({TODAY: lambda _: 40.0}, currency="EUR")
    with pytest.raises(SourceUnavailable, match="CurrencyMismatch"):
        NordpoolPrices(market.url).series("SE3", NOON, NOON + HOUR)


def test_an_area_that_is_not_the_market_s_is_refused(market: Served) -> None:
    """An area that Nord Pool does not have is never asked for."""
    with pytest.raises(SourceUnavailable, match="Nord Pool has no area SE9"):
        NordpoolPrices(market.url).series("SE9", NOON, NOON + HOUR)
    assert market.asked == []
