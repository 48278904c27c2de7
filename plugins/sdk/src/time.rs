//! What time it is, in UTC.

use crate::Timestamp;

const SECONDS_OF_DAY: i64 = 86_400;

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weekday {
    /// The first, as in ISO 8601.
    Monday,
    /// The second.
    Tuesday,
    /// The third.
    Wednesday,
    /// The fourth.
    Thursday,
    /// The fifth.
    Friday,
    /// The sixth.
    Saturday,
    /// The last.
    Sunday,
}

impl Weekday {
    /// From Monday to Sunday.
    pub const ALL: [Self; 7] =
        [Self::Monday, Self::Tuesday, Self::Wednesday, Self::Thursday, Self::Friday, Self::Saturday, Self::Sunday];

    /// Its English name, as in `Friday`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Monday => "Monday",
            Self::Tuesday => "Tuesday",
            Self::Wednesday => "Wednesday",
            Self::Thursday => "Thursday",
            Self::Friday => "Friday",
            Self::Saturday => "Saturday",
            Self::Sunday => "Sunday",
        }
    }
}

/// A time of day, to the second. It is shown as `15:04`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeOfDay {
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
}

impl std::fmt::Display for TimeOfDay {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{:02}:{:02}", self.hour, self.minute)
    }
}

/// A day of the Gregorian calendar. It is shown as `2026-11-20`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// The year; 0 is 1 BC.
    pub year: i64,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

impl std::fmt::Display for Date {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl Timestamp {
    /// The day of the week in UTC.
    pub fn weekday(&self) -> Weekday {
        // 1970-01-01 was a Thursday.
        let index = (self.day_number() + 3).rem_euclid(7);
        Weekday::ALL[usize::try_from(index).unwrap_or(0)]
    }

    /// The time of day in UTC.
    pub fn time_of_day(&self) -> TimeOfDay {
        let seconds = self.seconds.rem_euclid(SECONDS_OF_DAY);
        let part = |value: i64| u8::try_from(value).unwrap_or(0);
        TimeOfDay { hour: part(seconds / 3600), minute: part(seconds / 60 % 60), second: part(seconds % 60) }
    }

    /// The date in UTC.
    pub fn date(&self) -> Date {
        // Counted from 1 March of a year that 400 divides, leap days come last and every 400 years are alike.
        let days = i128::from(self.day_number()) + 719_468;
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = era * 400 + year_of_era + i128::from(month <= 2);
        Date {
            year: i64::try_from(year).unwrap_or(0),
            month: u8::try_from(month).unwrap_or(0),
            day: u8::try_from(day_of_year - (153 * shifted + 2) / 5 + 1).unwrap_or(0),
        }
    }

    /// Days since 1970-01-01.
    fn day_number(&self) -> i64 {
        self.seconds.div_euclid(SECONDS_OF_DAY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> (String, Weekday, String) {
        let now = Timestamp { seconds, nanoseconds: 0 };
        (now.date().to_string(), now.weekday(), now.time_of_day().to_string())
    }

    #[test]
    fn days_that_are_known() {
        for (seconds, date, weekday, time) in [
            (0, "1970-01-01", Weekday::Thursday, "00:00"),
            (-1, "1969-12-31", Weekday::Wednesday, "23:59"),
            (951_782_400, "2000-02-29", Weekday::Tuesday, "00:00"),
            (1_795_190_399, "2026-11-20", Weekday::Friday, "15:59"),
            (4_107_542_400, "2100-03-01", Weekday::Monday, "00:00"),
            (-62_135_596_800, "0001-01-01", Weekday::Monday, "00:00"),
        ] {
            assert_eq!(at(seconds), (date.to_owned(), weekday, time.to_owned()), "{seconds}");
        }
    }

    #[test]
    fn every_day_of_a_century_follows_the_one_before() {
        let mut before = Timestamp { seconds: 0, nanoseconds: 0 };
        for day in 1..36_525 {
            let now = Timestamp { seconds: day * SECONDS_OF_DAY, nanoseconds: 0 };
            let (old, new) = (before.date(), now.date());
            let next = new.day == old.day + 1 && new.month == old.month;
            assert!(next || (new.day == 1 && old.day >= 28), "{old} {new}");
            assert!(new > old && before.weekday() != now.weekday());
            before = now;
        }
    }

    #[test]
    fn no_moment_is_too_far_away() {
        for seconds in [i64::MIN, i64::MAX] {
            let _ = at(seconds);
        }
    }
}
