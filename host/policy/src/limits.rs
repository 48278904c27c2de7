//! What a plugin may use, each call anew.

use std::fmt;
use std::time::Duration;

use bytesize::ByteSize;
use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::de::Error as _;

/// Limits of one call of a plugin. Exceeding one ends the call and counts as a denial.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// Executed WebAssembly instructions, roughly. Default: 200 million. The same input uses the same fuel on every machine.
    pub fuel: u64,
    /// Wall-clock time in milliseconds, waiting included. Default: 1 s.
    #[serde(rename = "time_ms", serialize_with = "milliseconds")]
    pub time: Duration,
    /// Bytes of all memories together, and of all tables at 16 bytes an element. Default: 64 MiB.
    pub memory: u64,
    /// Bytes of WebAssembly stack. Default: 512 KiB.
    pub stack: u64,
    /// Bytes that the plugin may hand to the host in one answer, or take from one file. Default: 16 MiB.
    pub answer: u64,
    /// Calls of functions of the host, those of WASI included. Default: 100 000.
    pub host_calls: u64,
    /// Bytes that the plugin may write to the log and to stderr together. Default: 64 KiB.
    pub log: u64,
    /// Lines of the same. Default: 256.
    pub log_lines: u64,
}

/// Bytes of stack with which a plugin can do anything, and with which it can't harm the host.
const STACKS: std::ops::RangeInclusive<u64> = (16 << 10)..=(64 << 20);

impl Default for Limits {
    fn default() -> Self {
        Limits {
            fuel: 200_000_000,
            time: Duration::from_secs(1),
            memory: 64 << 20,
            stack: 512 << 10,
            answer: 16 << 20,
            host_calls: 100_000,
            log: 64 << 10,
            log_lines: 256,
        }
    }
}

fn milliseconds<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

/// Shows bytes as people write them.
pub(crate) fn bytes(count: u64) -> String {
    ByteSize(count).display().iec().to_string()
}

impl fmt::Display for Limits {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Limits { fuel, time, memory, stack, answer, host_calls, log, log_lines } = self;
        write!(
            formatter,
            "fuel {fuel}, time {time:?}, memory {}, stack {}, answer {}, host-calls {host_calls}, log {}, log-lines {log_lines}",
            bytes(*memory),
            bytes(*stack),
            bytes(*answer),
            bytes(*log)
        )
    }
}

/// As the configuration writes it: `{ fuel = 1000000, time = "2s", memory = "64 MiB" }`, every key optional.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct Written {
    fuel: u64,
    #[serde(deserialize_with = "duration")]
    time: Duration,
    #[serde(deserialize_with = "size")]
    memory: u64,
    #[serde(deserialize_with = "size")]
    stack: u64,
    #[serde(deserialize_with = "size")]
    answer: u64,
    host_calls: u64,
    #[serde(deserialize_with = "size")]
    log: u64,
    log_lines: u64,
}

impl Default for Written {
    fn default() -> Self {
        let Limits { fuel, time, memory, stack, answer, host_calls, log, log_lines } = Limits::default();
        Written { fuel, time, memory, stack, answer, host_calls, log, log_lines }
    }
}

impl<'de> Deserialize<'de> for Limits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Written { fuel, time, memory, stack, answer, host_calls, log, log_lines } =
            Written::deserialize(deserializer)?;
        if fuel == 0 || time.is_zero() || memory == 0 || answer == 0 {
            return Err(D::Error::custom("a limit of zero lets the plugin do nothing"));
        }
        if !STACKS.contains(&stack) {
            let (least, most) = (bytes(*STACKS.start()), bytes(*STACKS.end()));
            return Err(D::Error::custom(format!("a stack is between {least} and {most}")));
        }
        Ok(Limits { fuel, time, memory, stack, answer, host_calls, log, log_lines })
    }
}

fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse::<ByteSize>()
        .map(|size| size.as_u64())
        .map_err(|_| D::Error::custom(format!("`{text}` is not a size such as `64 MiB`")))
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse::<jiff::SignedDuration>()
        .ok()
        .and_then(|duration| Duration::try_from(duration).ok())
        .ok_or_else(|| D::Error::custom(format!("`{text}` is not a duration such as `2s` or `500ms`")))
}
