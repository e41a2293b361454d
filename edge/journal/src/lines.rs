//! Lines as words.

use std::fmt::Arguments;

use crate::{Entry, Level, begun, locked};

/// Puts a line into the service's log, and where it waits for a cable.
pub fn line(level: Level, words: Arguments<'_>) {
    let text = words.to_string();
    // What a service says on standard error stands in the system's log.
    eprintln!("signpost: {text}");
    let at_ms = u64::try_from(begun().elapsed().as_millis()).unwrap_or(u64::MAX);
    locked().push(Entry::Line { at_ms, level, text });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{error, hand, info};

    #[test]
    fn lines_wait_until_somebody_takes_them() {
        info!("the camera {} is back after {} s", "/dev/video0", 3);
        error!("no slot holds a whole version");
        let mut refused = 0;
        hand(100, &mut |_, _| {
            refused += 1;
            false
        });
        let mut taken = Vec::new();
        hand(100, &mut |entry, dropped| {
            taken.push((entry.clone(), dropped));
            true
        });
        let [(Entry::Line { level, text, .. }, 0), (Entry::Line { level: Level::Error, .. }, 0)] =
            taken.as_slice()
        else {
            panic!("{taken:?}");
        };
        assert_eq!((refused, *level), (1, Level::Info));
        assert_eq!(text, "the camera /dev/video0 is back after 3 s");
    }
}
