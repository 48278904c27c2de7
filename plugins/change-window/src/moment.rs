//! Days, times of day and moments, as an operator writes them.

use jiff::Timestamp;
use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::civil::DateTime;
use jiff::civil::Time;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use serde::Deserialize;

/// One or several days of the week, as in `mon`, `Saturday` or `mon-fri`. A range may go over Sunday.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub struct Days {
    first: Weekday,
    last: Weekday,
}

impl Days {
    /// Whether a day belongs to it.
    pub(crate) fn holds(self, day: Weekday) -> bool {
        self.first.until(day) <= self.first.until(self.last)
    }
}

impl TryFrom<String> for Days {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let unknown = || format!("`{text}` is no day such as `mon` or range such as `mon-fri`");
        let (first, last) = text.split_once('-').unwrap_or((&text, &text));
        Ok(Days { first: weekday(first).ok_or_else(unknown)?, last: weekday(last).ok_or_else(unknown)? })
    }
}

fn weekday(name: &str) -> Option<Weekday> {
    let name = name.trim().to_ascii_lowercase();
    let days = [
        ("monday", Weekday::Monday),
        ("tuesday", Weekday::Tuesday),
        ("wednesday", Weekday::Wednesday),
        ("thursday", Weekday::Thursday),
        ("friday", Weekday::Friday),
        ("saturday", Weekday::Saturday),
        ("sunday", Weekday::Sunday),
    ];
    days.into_iter().find(|(long, _)| name == *long || name == long[..3]).map(|(_, day)| day)
}

/// A time of day, from `00:00` to `24:00`.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(try_from = "String")]
pub struct TimeOfDay {
    minutes: u16,
}

impl TimeOfDay {
    /// The moment on a day; `24:00` is the beginning of the next.
    pub(crate) fn on(self, day: Date) -> Option<DateTime> {
        let (hours, minutes) = (i8::try_from(self.minutes / 60).ok()?, i8::try_from(self.minutes % 60).ok()?);
        if hours == 24 {
            return Some(day.tomorrow().ok()?.to_datetime(Time::midnight()));
        }
        Some(day.to_datetime(Time::new(hours, minutes, 0, 0).ok()?))
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let unknown = || format!("`{text}` is no time of day such as `09:00`");
        let (hours, minutes) = text.split_once(':').ok_or_else(unknown)?;
        let number = |digits: &str| match digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            true => digits.parse::<u16>().ok(),
            false => None,
        };
        let (hours, minutes) = (number(hours).ok_or_else(unknown)?, number(minutes).ok_or_else(unknown)?);
        match (hours, minutes) {
            (0..24, 0..60) | (24, 0) => Ok(TimeOfDay { minutes: hours * 60 + minutes }),
            _ => Err(unknown()),
        }
    }
}

/// A day, a local time, or a time with its offset.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub enum Moment {
    /// `2026-12-24`: as a beginning the start of that day, as an end the end of it.
    Day(Date),
    /// `2026-12-24T18:00` in the configured time zone.
    Local(DateTime),
    /// `2026-12-24T18:00:00Z` or `…+01:00`.
    Exact(Timestamp),
}

impl TryFrom<String> for Moment {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let text = text.trim();
        if let Ok(exact) = text.parse::<Timestamp>() {
            return Ok(Moment::Exact(exact));
        }
        let has_time = text.contains([':', 'T', ' ']);
        let read = match has_time {
            true => text.parse::<DateTime>().map(Moment::Local),
            false => text.parse::<Date>().map(Moment::Day),
        };
        read.map_err(|_| {
            format!("`{text}` is no moment such as `2026-12-24`, `2026-12-24T18:00` or `2026-12-24T18:00:00Z`")
        })
    }
}

impl Moment {
    /// As the beginning of a period.
    pub(crate) fn beginning(self, time_zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Moment::Day(day) => timestamp(day.to_datetime(Time::midnight()), time_zone),
            Moment::Local(moment) => timestamp(moment, time_zone),
            Moment::Exact(moment) => Some(moment),
        }
    }

    /// As the end of a period, which itself is no part of it.
    pub(crate) fn end(self, time_zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Moment::Day(day) => timestamp(day.checked_add(1.day()).ok()?.to_datetime(Time::midnight()), time_zone),
            other => other.beginning(time_zone),
        }
    }
}

/// A local time as the point in time that it stands for. Of two, where clocks are turned back, the earlier; where they are
/// turned forward and it does not exist, the later.
pub(crate) fn timestamp(local: DateTime, time_zone: &TimeZone) -> Option<Timestamp> {
    time_zone.to_ambiguous_timestamp(local).compatible().ok()
}
