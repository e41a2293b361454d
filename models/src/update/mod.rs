//! The update on the unit: two slots and one record, so that at every instant the unit starts the old
//! version or the new one, never neither and never a mixture.
//!
//! ```text
//! ROOT/a, ROOT/b              the slots: folders with manifest, its signature, and the files that it names
//! ROOT/a.part, ROOT/b.part    a slot that is being written, or one that is being cleared
//! ROOT/record.0, record.1     the record: the valid copy with the higher number counts
//! ```
//!
//! One slot runs. [`install`] writes into the other: first the record says so, then the old folder loses
//! its name, then files are written, synced, read back and hashed, then the folder gets its name, and last
//! the record says that the next start is a trial. [`boot`] takes one trial start off the record before it
//! makes it, and starts no slot whose files are not those of its manifest. A version on trial has to prove
//! itself ([`proof`]) and is then confirmed; when its time or its starts are used up the unit goes back by
//! itself.
//!
//! What an order of writes has to be, the tests hold: `tests/tests/update` cuts the power at each of them.
//! Everything goes through [`Disk`], which is a folder ([`disk::Folder`]) or the tests' simulated disk.
//! Nothing here reads a clock.
//!
//! # What it does not protect from
//! While the other slot is being written there is one whole version on the unit. When the storage spoils
//! that very one, nothing is left to start, and [`boot`] says so rather than start a mixture. The program
//! that calls [`boot`] is no part of a slot and is not updated by a bundle.

pub mod boot;
pub mod disk;
pub mod error;
pub mod install;
pub mod proof;
pub mod record;
pub mod slot;

pub use boot::{Start, boot};
pub use disk::Disk;
pub use error::Error;
pub use install::{Installed, Step, Unit, confirm, install, roll_back};
pub use record::{Record, State};
pub use slot::Slot;
