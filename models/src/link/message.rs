//! What the two ends say to each other. The order of variants is part of the format: add at the end only.

use serde::{Deserialize, Serialize, Serializer};

use super::Error;
use crate::text::clipped;

/// The newest version of the link that this program speaks.
pub const VERSION: u16 = 1;
/// The oldest version that it still speaks.
pub const OLDEST: u16 = 1;
/// A text to sign may have so many bytes: a sentence or two, and the answer about each word fits one frame.
pub const MAX_TEXT: usize = 500;

/// A unit tells of so many troubles at most, so that they fit one frame.
pub const MAX_TROUBLES: usize = 10;
/// A trouble's sentence has so many bytes at most.
pub const MAX_TROUBLE: usize = 360;

/// The SHA-256 of a file, which is its name on the unit as well.
pub type Hash = [u8; 32];

/// Messages of the control channel, either way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Control {
    /// The first message of both ends.
    Hello(Hello),
    /// The tool wants something. The number comes first for ever, so that a unit can say about a question
    /// that it does not know which one it was.
    Ask {
        /// Repeated with a question that is asked again, so that nothing is done twice.
        id: u32,
        /// What it wants.
        ask: Ask,
    },
    /// The unit's answer. The number comes first for ever.
    Answer {
        /// The question's.
        id: u32,
        /// What it says.
        answer: Answer,
    },
    /// Who receives a file says which blocks arrived.
    Got(Got),
    /// A block came that belongs to no transfer: its receiver was started anew.
    NoTransfer {
        /// The number that the block bore.
        transfer: u32,
    },
    /// What the unit reads of a signer.
    Caption(Caption),
}

/// Who somebody is, and which versions of the link they speak. This message is the same in all versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Which end of the cable this is.
    pub role: Role,
    /// The oldest version of the link that it speaks.
    pub oldest: u16,
    /// The newest.
    pub newest: u16,
    /// The version of the product.
    pub product: String,
    /// The board's name; empty for a tool.
    pub board: String,
    /// What tells this unit from others of its kind; empty for a tool.
    pub unit: String,
}

/// The ends of the cable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// The technician's tool.
    Tool,
    /// The unit.
    Unit,
}

/// What a tool may want.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ask {
    /// How the unit is.
    Health,
    /// A text is to be signed.
    Sign {
        /// The text, at most [`MAX_TEXT`] bytes.
        text: String,
    },
    /// A file is to be sent.
    Offer(Offer),
    /// A file that the unit has is to be installed into the slot that does not run.
    Install {
        /// Which file.
        file: Hash,
    },
    /// What runs now is to stay.
    Confirm,
    /// What ran before is to run again.
    RollBack,
    /// A picture of the screen.
    Screenshot,
    /// Another speed of the serial line.
    Speed {
        /// Bits a second.
        baud: u32,
    },
    /// What is wrong with the unit, as it sees itself.
    Troubles,
}

/// What a unit may answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Answer {
    /// How it is.
    Health(Health),
    /// How it signs the text.
    Signing {
        /// Each word, in order.
        words: Vec<Word>,
        /// How long the signing takes. Milliseconds.
        length_ms: u32,
    },
    /// The file that was offered may be sent.
    Take(Take),
    /// The file that was offered is there, whole.
    There,
    /// The screen follows, as a PNG in blocks.
    Picture {
        /// What the blocks bear.
        transfer: u32,
        /// What they make.
        offer: Offer,
    },
    /// It is done.
    Done,
    /// The speed that is set as soon as this answer is out.
    Speed {
        /// Bits a second.
        baud: u32,
    },
    /// It will not or cannot.
    Refused(Refusal),
    /// What is wrong with it; none where it knows of nothing.
    Troubles {
        /// At most [`MAX_TROUBLES`], the gravest first.
        troubles: Vec<Trouble>,
    },
}

/// Something that is wrong with a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// What it is about, in a word. A tool that does not know the word still shows the sentence.
    pub kind: String,
    /// One sentence that ends with the next step; at most [`MAX_TROUBLE`] bytes.
    pub said: String,
}

/// Why something is not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// The unit does not know the question: it is older than the tool.
    Unknown,
    /// This unit cannot do it, or not now.
    Cannot {
        /// Why, and what to do: a sentence's second half.
        why: String,
    },
}

/// How a unit is; by default one that has done nothing yet.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Health {
    /// Seconds since its program began.
    pub uptime_s: u64,
    /// What it is doing, in a word or two.
    pub state: String,
    /// Frames a second that it reads at present; 0 where it reads nobody.
    pub fps: f32,
    /// Frames read so far.
    pub frames: u64,
    /// Frames lost before landmarks.
    pub lost: u64,
    /// What the board's sensors say.
    pub temperatures: Vec<Temperature>,
    /// How long each stage takes for a frame.
    pub stages: Vec<StageTime>,
    /// Log lines that found no room since the program began.
    pub logs_dropped: u32,
    /// Frames of this link that arrived spoiled at the unit since the tool greeted it.
    pub spoiled: u32,
}

/// One sensor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Temperature {
    /// What the board calls it.
    pub name: String,
    /// Thousandths of a degree Celsius.
    pub milli_celsius: i32,
}

/// How long one stage takes for a frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageTime {
    /// Its name.
    pub name: String,
    /// In the mean over the last second or so. Microseconds.
    pub mean_us: u32,
    /// The longest of them. Microseconds.
    pub most_us: u32,
}

/// A word that is signed, and where its signs came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Word {
    /// As it stands in the text.
    pub text: String,
    /// Where its signs came from, in words: lexicon, spelled, not found.
    pub from: String,
    /// Its glosses, with spaces between.
    pub glosses: String,
}

/// What the unit reads of a signer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Caption {
    /// Time of the source. Milliseconds.
    pub at_ms: u64,
    /// What kind of news it is.
    pub kind: CaptionKind,
    /// The text; empty where there is none.
    pub text: String,
    /// 0 to 1.
    pub confidence: f32,
}

/// Kinds of news from reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CaptionKind {
    /// One sign that is settled.
    Sign,
    /// The whole caption as it stands now.
    Caption,
    /// Nothing was sure enough: the unit asks to repeat.
    Repeat,
}

/// A file that somebody wants to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// What people call it. It names nothing on the other end.
    pub name: String,
    /// Bytes.
    pub length: u64,
    /// Of the whole file.
    pub hash: Hash,
    /// Bytes of each block but the last.
    pub block: u32,
    /// What the other end has of it is to be thrown away.
    pub afresh: bool,
}

/// How an offered file is to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Take {
    /// What its blocks bear.
    pub transfer: u32,
    /// So many bytes are there already: a multiple of the block, or all.
    pub from: u64,
    /// The hash of these bytes, so that nothing is put behind a beginning that is not the file's.
    pub hash: Hash,
}

/// Which blocks of a file arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Got {
    /// Of which transfer.
    pub transfer: u32,
    /// All blocks before this one are written.
    pub next: u32,
    /// Bit `i % 8` of byte `i / 8` says that block `next + 1 + i` is here too.
    pub seen: Vec<u8>,
    /// How it ended, once all is here.
    pub verdict: Option<Verdict>,
}

/// How a transfer ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// The file is there, and its hash was computed from what was written.
    Whole,
    /// What was written has another hash; it was thrown away.
    Spoiled {
        /// That hash.
        found: Hash,
    },
    /// It could not be written.
    Failed {
        /// Why, in words.
        why: String,
    },
}

/// Messages of the log channel, from the unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Logs {
    /// One line of words.
    Line {
        /// Since the unit's program began. Milliseconds.
        at_ms: u64,
        /// How grave it is.
        level: Level,
        /// What happened.
        text: String,
        /// Messages that found no room before this one, since the program began.
        dropped: u32,
    },
    /// Frames of `defmt` as they left the logger; the program with this build-id tells what they say.
    Defmt {
        /// The GNU build-id of the program that wrote them.
        build: Vec<u8>,
        /// The frames.
        bytes: Vec<u8>,
        /// Messages that found no room before this one, since the program began.
        dropped: u32,
    },
}

/// How grave a log line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Level {
    /// Something does not work.
    Error,
    /// Something works, but not as it should.
    Warn,
    /// Something happened.
    Info,
}

/// Messages of the bulk channel, either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Bulk<'a> {
    /// One block of a file.
    Block {
        /// Of which transfer.
        transfer: u32,
        /// Its place, from 0.
        index: u32,
        /// What it holds.
        #[serde(serialize_with = "at_once")]
        bytes: &'a [u8],
    },
}

/// Bytes in one piece; serde would write them one by one. The format is the same.
fn at_once<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
    to.serialize_bytes(bytes)
}

impl Trouble {
    /// What is wrong, cut to what fits.
    pub fn new(kind: &str, said: &str) -> Self {
        Self { kind: kind.into(), said: clipped(said, MAX_TROUBLE).into() }
    }
}

impl Hello {
    /// What a tool says.
    pub fn of_tool(product: &str) -> Self {
        let (product, board, unit) = (product.into(), String::new(), String::new());
        Self { role: Role::Tool, oldest: OLDEST, newest: VERSION, product, board, unit }
    }

    /// What a unit says.
    pub fn of_unit(product: &str, board: &str, unit: &str) -> Self {
        let (product, board, unit) = (product.into(), board.into(), unit.into());
        Self { role: Role::Unit, oldest: OLDEST, newest: VERSION, product, board, unit }
    }

    /// The newest version that both ends speak.
    ///
    /// # Errors
    /// [`Error::Version`] where there is none; it says who is to be updated.
    pub fn agree(&self, other: &Self) -> Result<u16, Error> {
        let newest = self.newest.min(other.newest);
        if newest >= self.oldest.max(other.oldest) {
            return Ok(newest);
        }
        let older = if self.newest < other.newest { self } else { other };
        let who = match older.role {
            Role::Tool => "tool",
            Role::Unit => "unit",
        };
        let newer = if older == self { other } else { self };
        Err(Error::Version { who, older: Box::new(older.clone()), newer: Box::new(newer.clone()) })
    }
}

/// A control message of which only the beginning is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Newer {
    /// A question with this number.
    Ask(u32),
    /// An answer with this number.
    Answer(u32),
    /// Another message.
    Other,
}

impl Newer {
    /// What can be known of a control message that could not be read. Its frame was whole, so that it was
    /// meant like this.
    pub fn of(body: &[u8]) -> Self {
        const ASK: u32 = 1;
        const ANSWER: u32 = 2;
        match postcard::take_from_bytes::<(u32, u32)>(body) {
            Ok(((ASK, id), _)) => Self::Ask(id),
            Ok(((ANSWER, id), _)) => Self::Answer(id),
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(tool: (u16, u16), unit: (u16, u16), expect: Result<u16, &str>) {
        let mut ours = Hello::of_tool("0.2.0");
        let mut theirs = Hello::of_unit("0.1.0", "desk", "7");
        (ours.oldest, ours.newest) = tool;
        (theirs.oldest, theirs.newest) = unit;
        for agreed in [ours.agree(&theirs), theirs.agree(&ours)] {
            match (&agreed, expect) {
                (Ok(version), Ok(expect)) => assert_eq!(*version, expect),
                (Err(error), Err(expect)) => assert!(error.to_string().contains(expect), "{error}"),
                _ => panic!("{agreed:?}"),
            }
        }
    }

    #[test]
    fn two_ends_agree_or_say_who_is_to_be_updated() {
        check((1, 1), (1, 1), Ok(1));
        check((1, 3), (2, 5), Ok(3));
        check((1, 2), (3, 4), Err("update the tool"));
        check((5, 6), (1, 4), Err("update the unit"));
    }

    #[test]
    fn the_number_of_an_unknown_question_is_found() {
        // The 31st variant of `Ask`, with some field.
        let ask = postcard::to_extend(&(1u32, 7000u32, 30u32, 5u8), Vec::new()).unwrap();
        assert!(postcard::from_bytes::<Control>(&ask).is_err());
        assert_eq!(Newer::of(&ask), Newer::Ask(7000));
        let other = postcard::to_extend(&(40u32, 7000u32), Vec::new()).unwrap();
        assert_eq!((Newer::of(&other), Newer::of(&[])), (Newer::Other, Newer::Other));
    }
}
