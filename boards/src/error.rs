//! Why a board could not be used, or a machine not be recognised.

use crate::Part;

/// What is wrong with a board, or between a board and a machine.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No board has this name.
    #[error("no board is called `{name}`; choose one of: {known}")]
    Unknown {
        /// The name asked for.
        name: String,
        /// The names that there are.
        known: String,
    },
    /// The text is not a board.
    #[error("board `{name}`: {said}; correct the file and build again")]
    Malformed {
        /// Which board.
        name: String,
        /// What is wrong, and where.
        said: String,
    },
    /// A value is out of range.
    #[error("board `{name}`: {key} is {value}, but must be {range}; correct the file and build again")]
    OutOfRange {
        /// Which board.
        name: String,
        /// The key.
        key: &'static str,
        /// The value found.
        value: u32,
        /// What is allowed, in words.
        range: &'static str,
    },
    /// The slots of whole systems are no two devices.
    #[error(
        "board `{name}`: system.slots are {slots:?}, but must be two devices below /dev; correct the file and build again"
    )]
    Slots {
        /// Which board.
        name: String,
        /// The devices found.
        slots: [String; 2],
    },
    /// The module is one thing, and the system on it was made for another.
    #[error(
        "the module says that it is a {module}, but the system on it was made for a {tree}; flash that system again for board `{board}`"
    )]
    WrongSystem {
        /// What the module's own memory says, in words.
        module: String,
        /// What the device tree was made for, in words.
        tree: String,
        /// The board of the module.
        board: String,
    },
    /// A module that no board file names.
    #[error(
        "the module {part} is none that Signpost knows (the system on it calls itself \"{model}\"); use one of the modules in boards/data, or describe this one there"
    )]
    UnknownModule {
        /// What its memory or the device tree says.
        part: Part,
        /// The device tree's words, which any maker of carrier boards may choose.
        model: String,
    },
    /// A machine that says nothing by which it could be known.
    #[error(
        "this machine does not say which board it is (it calls itself \"{model}\"); name it with --board"
    )]
    Nameless {
        /// The device tree's words, or none.
        model: String,
    },
    /// The machine is another board.
    #[error("this machine is a {machine}, and not a {wanted}; use board `{board}`")]
    OtherBoard {
        /// What it is, in words.
        machine: String,
        /// What it was to be, in words.
        wanted: String,
        /// The board that it is.
        board: String,
    },
}
