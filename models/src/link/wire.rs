//! What the link needs of a serial line, a pty or a simulated one.

use std::io;
use std::time::Duration;

/// Two ends share one; this is one end's view. No call but [`Wire::wait`] waits.
pub trait Wire {
    /// What people call it, for example its path.
    fn name(&self) -> String;

    /// Time since some moment in the past. A simulated wire has a simulated clock.
    fn now(&self) -> Duration;

    /// Waits at most so long until there is something to read or, where `room` is set, room to write.
    ///
    /// # Errors
    /// What the system said where the line is gone.
    fn wait(&mut self, patience: Duration, room: bool) -> io::Result<()>;

    /// Reads what is there; 0 where nothing is.
    ///
    /// # Errors
    /// What the system said where the line is gone.
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize>;

    /// Writes what there is room for; 0 where there is none.
    ///
    /// # Errors
    /// What the system said where the line is gone.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// Bits a second of a real serial line; `None` where speed means nothing, as on a pty or over USB.
    fn speed(&self) -> Option<u32>;

    /// Sets another speed as soon as all is sent that was written, and gives what the driver set: some set
    /// another one than they were asked for, and say nothing.
    ///
    /// # Errors
    /// What the system said.
    fn set_speed(&mut self, baud: u32) -> io::Result<u32>;
}

/// Bits that a serial line sends for a byte: a start bit, eight of data, a stop bit.
pub const BITS_A_BYTE: u32 = 10;
/// How far a speed may be off, as a share: receivers sample ten bits from one edge, and half a bit is their
/// margin, from which both ends' crystals and dividers take.
pub const SPEED_TOLERANCE: f64 = 0.03;

/// Whether a driver set the speed that was wanted.
pub fn same_speed(wanted: u32, set: u32) -> bool {
    (f64::from(set) / f64::from(wanted) - 1.0).abs() <= SPEED_TOLERANCE
}

/// How long a line needs for so many bytes; nothing where its speed is not known.
pub fn time_of(bytes: usize, speed: Option<u32>) -> Duration {
    let seconds = |baud: u32| bytes as f64 * f64::from(BITS_A_BYTE) / f64::from(baud.max(1));
    speed.map_or(Duration::ZERO, |baud| Duration::from_secs_f64(seconds(baud)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_that_was_not_set_is_noticed() {
        // A 16550 asked for 921600 stayed at 9600 and said nothing; dividers round by a percent or two.
        assert!(!same_speed(921_600, 9600) && !same_speed(115_200, 0));
        assert!(same_speed(921_600, 921_600) && same_speed(921_600, 923_076));
    }

    #[test]
    fn ten_bits_are_a_byte() {
        assert_eq!(time_of(11_520, Some(115_200)), Duration::from_secs(1));
        assert_eq!(time_of(11_520, None), Duration::ZERO);
    }
}
