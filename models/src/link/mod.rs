//! The wire between a technician's tool and a unit: a cable, and no network.
//!
//! Messages ([`message`]) are written with `postcard`, closed by a CRC-32C and framed with COBS ([`frame`]).
//! Three channels share one wire: control, logs and bulk; [`outbox`] sees that control never waits behind
//! bulk. Files go in blocks with selective repeat ([`send`], [`receive`]) into a folder that names them by
//! their hash ([`staging`]), so that whatever was cut off goes on where it was. [`tool`] and [`unit`] are
//! the two ends; both work on any [`Wire`], and both have a deadline on every wait.
//!
//! Nothing here reads a clock or opens a device: a [`Wire`] brings its own time, so that the tests run
//! minutes of a bad line in milliseconds. With the feature `tty`, `tty` opens a serial port.
//!
//! # Versions
//! A message, once shipped, never changes: no field is added, taken away or moved, and no variant of an
//! enum changes its place. What is new is a new variant at the end. Who meets a variant that it does not
//! know says so ([`message::Refusal::Unknown`]) instead of keeping silent, and [`message::Hello`], the
//! first message of both ends, says which versions each of them speaks. Version 1 as it was shipped stands
//! in `tests/golden/link`, and a test decodes it for ever.

pub mod error;
pub mod frame;
pub mod line;
pub mod message;
pub mod outbox;
pub mod receive;
pub mod send;
pub mod staging;
pub mod tool;
#[cfg(feature = "tty")]
pub mod tty;
pub mod unit;
pub mod wire;

pub use error::{Closed, Error};
pub use frame::{Channel, Decoder};
pub use line::Line;
pub use staging::Staging;
pub use tool::Tool;
pub use unit::{Duties, Unit};
pub use wire::Wire;
