"""Instants: whole milliseconds, one way to write them, one family of ways to read them."""

from __future__ import annotations

import calendar
import contextlib
import datetime
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import InvalidTime
from protocol.times import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    day_at,
    day_of,
    format_instant,
    local_day,
    parse_day,
    parse_instant,
    read_day,
    require_instant,
    write_day,
)

LAST = (calendar.timegm((9999, 12, 31, 23, 59, 59)) * 1000) + 999

instants = st.integers(0, LAST)


def test_the_lengths_are_those_of_the_clock() -> None:
    assert (MINUTE_MS, HOUR_MS, DAY_MS) == (60_000, 3_600_000, 86_400_000)


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1, "1970-01-01T00:00:00.001Z"),
        (951_827_696_789, "2000-02-29T12:34:56.789Z"),
        (2**31 * 1000, "2038-01-19T03:14:08.000Z"),
        (LAST, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_known_instants_are_written_and_read(instant: int, text: str) -> None:
    assert format_instant(instant) == text
    assert parse_instant(text) == instant


@given(instants)
def test_an_instant_is_written_as_the_calendar_says(instant: int) -> None:
    seconds, thousandths = divmod(instant, 1000)
    expected = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{thousandths:03d}Z"
    assert format_instant(instant) == expected
    assert parse_instant(expected) == instant


@given(instants)
def test_the_day_is_counted_from_1970(instant: int) -> None:
    day = time.gmtime(instant // 1000)
    date = datetime.date(day.tm_year, day.tm_mon, day.tm_mday)
    assert day_of(instant) == date.toordinal() - datetime.date(1970, 1, 1).toordinal()


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T08:15Z",
        "2026-11-23T08:15:00Z",
        "2026-11-23T08:15:00.0Z",
        "2026-11-23T08:15:00.000999Z",
        "2026-11-23T09:15:00+01:00",
        "2026-11-22T18:45:00.000-13:30",
    ],
)
def test_other_offsets_and_precisions_are_the_same_instant(text: str) -> None:
    assert parse_instant(text) == calendar.timegm((2026, 11, 23, 8, 15, 0)) * 1000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-23",
        "2026-11-23T08:15:00",
        "2026-11-23 08:15:00Z",
        "20261123T081500Z",
        "2026-W48-1T08:15Z",
        "2026-11-23t08:15:00z",
        "2026-11-23T08Z",
        "2026-11-23T24:00:00Z",
        "2026-11-23T08:60:00Z",
        "2026-11-23T08:15:60Z",
        "2026-11-23T08:15:00,5Z",
        "2026-11-23T08:15:00.Z",
        "2026-11-23T08:15:00.1234567Z",
        "2026-11-23T08:15:00+0100",
        "2026-11-23T08:15:00+01:00:30",
        "2026-11-23T08:15:00+24:00",
        "2026-02-29T08:15:00Z",
        "2026-13-01T08:15:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "1969-12-31T23:59:59.999Z",
        "1970-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "\uff12026-11-23T08:15:00Z",
        "2026-11-23T08:15:00Z\n",
        " 2026-11-23T08:15:00Z",
        "\ud800",
    ],
)
def test_every_other_shape_and_every_day_that_is_not_is_refused(text: str) -> None:
    with pytest.raises(InvalidTime) as refusal:
        parse_instant(text, "opened_at")
    assert refusal.value.facts["field"] == "opened_at"


def test_a_time_that_nobody_named_is_called_time_where_it_is_refused() -> None:
    with pytest.raises(InvalidTime) as refusal:
        parse_instant("yesterday")
    assert refusal.value.facts["field"] == "time"


@given(st.text(alphabet="0123456789-:.TZ+ ", max_size=32))
def test_any_text_is_an_instant_or_refused(text: str) -> None:
    with contextlib.suppress(InvalidTime):
        assert 0 <= parse_instant(text) <= LAST


@pytest.mark.parametrize(
    "value", [None, True, 5.0, "5", -1, LAST + 1, pytest.param(10**5000, id="huge"), b"2026", datetime.datetime.min]
)
def test_what_is_not_whole_milliseconds_since_1970_is_refused(value: object) -> None:
    with pytest.raises(InvalidTime) as refusal:
        require_instant(value, "at")
    assert refusal.value.facts["field"] == "at"
    with pytest.raises(InvalidTime):
        parse_instant(value)


@given(instants)
def test_a_whole_number_of_milliseconds_is_an_instant(instant: int) -> None:
    assert require_instant(instant, "at") == instant


@given(st.dates())
def test_a_day_is_its_digits(day: datetime.date) -> None:
    number = write_day(day)
    assert f"{number:08d}" == day.strftime("%Y%m%d").rjust(8, "0")
    assert (read_day(number), parse_day(day.isoformat())) == (day, day)


@pytest.mark.parametrize("number", [0, 20260230, 20261301, 20260100, -20260101, 100000101])
def test_a_number_that_is_no_day_is_refused(number: int) -> None:
    with pytest.raises(InvalidTime):
        read_day(number)


@pytest.mark.parametrize(
    "text", ["", "2026-02-30", "20261128", "2026-W48-6", "2026-11-28T", "26-11-28", "2026-11-2٨", 20261128, None]
)
def test_a_text_that_is_no_day_is_refused_and_its_field_named(text: object) -> None:
    with pytest.raises(InvalidTime) as refused:
        parse_day(text, "due")
    assert refused.value.facts["field"] == "due"


def test_a_day_begins_where_the_clocks_say_so() -> None:
    late = int(datetime.datetime(2026, 11, 24, 23, 30, tzinfo=datetime.UTC).timestamp()) * 1_000
    assert day_at(late) == datetime.date(2026, 11, 24)
    assert local_day(late, "Europe/Paris") == datetime.date(2026, 11, 25)
    assert local_day(late, "America/Guadeloupe") == datetime.date(2026, 11, 24)
    assert day_at(late - late % DAY_MS) == datetime.date(2026, 11, 24)
    assert day_at(late - late % DAY_MS - 1) == datetime.date(2026, 11, 23)
