//! When changes may happen.

use jiff::Timestamp;
use jiff::ToSpan as _;
use jiff::Zoned;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use runner_policy_sdk::Failure;

use crate::moment::timestamp;
use crate::settings::Settings;
use crate::settings::Window;

/// The settings, with everything a point in time.
pub(crate) struct Calendar<'a> {
    time_zone: TimeZone,
    windows: &'a [Window],
    freezes: Vec<Period<'a>>,
    exceptions: Vec<Permit<'a>>,
}

struct Period<'a> {
    from: Timestamp,
    to: Timestamp,
    reason: &'a str,
}

struct Permit<'a> {
    period: Period<'a>,
    actors: &'a [String],
    plan: Option<&'a str>,
}

/// How a moment stands.
#[derive(Debug)]
pub(crate) enum Standing<'a> {
    /// There are no windows, and there is no freeze.
    Free,
    /// A window is open.
    Open { until: Zoned },
    /// There are windows, and none is open.
    Closed,
    /// There is a freeze.
    Frozen { until: Zoned, reason: &'a str },
    /// Windows and freezes do not count.
    Excepted { until: Zoned, reason: &'a str },
}

impl Period<'_> {
    fn holds(&self, moment: Timestamp) -> bool {
        self.from <= moment && moment < self.to
    }
}

impl<'a> Calendar<'a> {
    pub(crate) fn new(settings: &'a Settings) -> Result<Self, Failure> {
        let unusable = || Failure::new("the settings hold a time that does not exist");
        let time_zone = settings.time_zone().ok_or_else(unusable)?;
        let period = |from: crate::moment::Moment, to: crate::moment::Moment, reason: &'a str| {
            let (from, to) =
                (from.beginning(&time_zone).ok_or_else(unusable)?, to.end(&time_zone).ok_or_else(unusable)?);
            Ok(Period { from, to, reason })
        };
        let freezes = settings.freezes.iter().map(|freeze| period(freeze.from, freeze.to, &freeze.reason));
        let exceptions = settings.exceptions.iter().map(|exception| {
            Ok(Permit {
                period: period(exception.from, exception.to, &exception.reason)?,
                actors: &exception.actors,
                plan: exception.plan.as_deref(),
            })
        });
        let (freezes, exceptions) = (freezes.collect::<Result<_, _>>()?, exceptions.collect::<Result<_, _>>()?);
        Ok(Calendar { time_zone, windows: &settings.windows, freezes, exceptions })
    }

    pub(crate) fn time_zone(&self) -> &TimeZone {
        &self.time_zone
    }

    /// How a moment stands for somebody with a plan.
    pub(crate) fn standing(&self, now: &Zoned, actor: &str, plan: &str) -> Standing<'a> {
        let moment = now.timestamp();
        let permit = self.exceptions.iter().find(|permit| {
            permit.period.holds(moment)
                && (permit.actors.is_empty() || permit.actors.iter().any(|name| name == actor))
                && permit.plan.is_none_or(|hash| hash.eq_ignore_ascii_case(plan))
        });
        if let Some(Permit { period, .. }) = permit {
            return Standing::Excepted { until: self.local(period.to), reason: period.reason };
        }
        if let Some(freeze) = self.freeze(moment) {
            return Standing::Frozen { until: self.local(freeze.to), reason: freeze.reason };
        }
        if self.windows.is_empty() {
            return Standing::Free;
        }
        match self.open_until(moment) {
            Some(until) => {
                let next_freeze = self.freezes.iter().map(|freeze| freeze.from).filter(|from| *from > moment).min();
                Standing::Open { until: self.local(next_freeze.map_or(until, |from| from.min(until))) }
            }
            None => Standing::Closed,
        }
    }

    /// When changes may happen next, within a year; exceptions left aside.
    pub(crate) fn next_opening(&self, now: &Zoned) -> Option<Zoned> {
        let moment = now.timestamp();
        let mut starts: Vec<Timestamp> = vec![moment];
        starts.extend(self.freezes.iter().map(|freeze| freeze.to).filter(|end| *end > moment));
        let mut candidates = starts.clone();
        for start in starts {
            candidates.extend(self.window_starts(self.local(start).date()));
        }
        candidates.sort_unstable();
        let within = moment.checked_add((366 * 24).hours()).ok()?;
        candidates
            .into_iter()
            .filter(|candidate| (moment..within).contains(candidate))
            .find(|candidate| self.freeze(*candidate).is_none() && self.is_window(*candidate))
            .map(|opening| self.local(opening))
    }

    fn local(&self, moment: Timestamp) -> Zoned {
        moment.to_zoned(self.time_zone.clone())
    }

    /// The freeze at a moment that lasts longest.
    fn freeze(&self, moment: Timestamp) -> Option<&Period<'a>> {
        self.freezes.iter().filter(|freeze| freeze.holds(moment)).max_by_key(|freeze| freeze.to)
    }

    fn is_window(&self, moment: Timestamp) -> bool {
        self.windows.is_empty() || self.open_until(moment).is_some()
    }

    /// When the window of a moment closes; of several the last, and windows that touch are one.
    fn open_until(&self, moment: Timestamp) -> Option<Timestamp> {
        let mut until = self.closing(moment)?;
        // A week of windows without a gap is open for ever.
        for _ in 0..8 {
            match self.closing(until) {
                Some(later) => until = later,
                None => break,
            }
        }
        Some(until)
    }

    fn closing(&self, moment: Timestamp) -> Option<Timestamp> {
        let today = self.local(moment).date();
        let days = [today.yesterday().ok(), Some(today)];
        days.into_iter()
            .flatten()
            .flat_map(|day| self.windows.iter().filter_map(move |window| self.on(window, day)))
            .filter(|(from, to)| (*from..*to).contains(&moment))
            .map(|(_, to)| to)
            .max()
    }

    /// When the windows of a week from a day on open.
    fn window_starts(&self, day: Date) -> Vec<Timestamp> {
        let days = (0..8).filter_map(|ahead: i64| day.checked_add(ahead.days()).ok());
        days.flat_map(|day| self.windows.iter().filter_map(move |window| self.on(window, day)))
            .map(|(from, _)| from)
            .collect()
    }

    /// A window that opens on a day.
    fn on(&self, window: &Window, day: Date) -> Option<(Timestamp, Timestamp)> {
        if !window.days.is_empty() && !window.days.iter().any(|days| days.holds(day.weekday())) {
            return None;
        }
        let closes = if window.to <= window.from { day.tomorrow().ok()? } else { day };
        let (from, to) = (window.from.on(day)?, window.to.on(closes)?);
        Some((timestamp(from, &self.time_zone)?, timestamp(to, &self.time_zone)?))
    }
}
