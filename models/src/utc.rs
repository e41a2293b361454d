//! Times of day as people read them, for reports.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds of a day.
const DAY: u64 = 86_400;

/// A time as `2026-11-21T09:05:00Z`; a clock that stands before 1970 gives the first second of that year.
pub fn text(at: SystemTime) -> String {
    of_seconds(at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
}

/// The same of seconds since 1970: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms",
/// `civil_from_days`. Years begin in March there, so that the odd day is a year's last.
fn of_seconds(seconds: u64) -> String {
    let (day, time) = (seconds / DAY + 719_468, seconds % DAY);
    let (era, of_era) = (day / 146_097, day % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", time / 3600, time / 60 % 60, time % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(seconds: u64, expect: &str) {
        assert_eq!(of_seconds(seconds), expect);
    }

    /// Times that `date -u` of GNU coreutils gave.
    #[test]
    fn seconds_are_the_date_that_others_give() {
        check(0, "1970-01-01T00:00:00Z");
        check(951_782_399, "2000-02-28T23:59:59Z");
        check(951_782_400, "2000-02-29T00:00:00Z");
        check(951_868_800, "2000-03-01T00:00:00Z");
        check(1_795_000_000, "2026-11-18T11:06:40Z");
        check(4_107_542_399, "2100-02-28T23:59:59Z");
        check(4_107_542_400, "2100-03-01T00:00:00Z");
    }
}
