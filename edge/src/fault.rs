//! All that can go wrong on the unit, each with what, where and the next step.

use std::io::{self, ErrorKind};
use std::path::PathBuf;

/// A fault of the unit. Its message is one sentence that ends in the next step.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// A file could not be read or written.
    #[error("{path}: {source}; check that it exists and that this user may use it")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is no room left for a file.
    #[error("the disk is full at {path}; free some space, or choose a place on another disk")]
    DiskFull {
        /// The file.
        path: PathBuf,
    },
    /// No `ffmpeg` was found.
    #[error("no ffmpeg program was found; run `cargo xtask setup`, or install ffmpeg")]
    NoFfmpeg,
    /// `ffmpeg` could not be started, or ended with an error.
    #[error("ffmpeg could not handle {path}: {said}; check that the file is a whole video")]
    Ffmpeg {
        /// The file that it worked on.
        path: PathBuf,
        /// The last line that it printed.
        said: String,
    },
    /// A file that set-up brings is missing.
    #[error("{path} is missing; run `cargo xtask setup`")]
    NotSetUp {
        /// The file.
        path: PathBuf,
    },
    /// A file that set-up brought has changed since.
    #[error("{path} is not the file that set-up brought; delete it and run `cargo xtask setup`")]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// Nothing says what a file was when set-up brought it.
    #[error("set-up kept no record of {path}, so nobody knows whether it is whole; run `cargo xtask setup`")]
    NoRecord {
        /// The file.
        path: PathBuf,
    },
    /// An engine was asked for that is not there.
    #[error(
        "no engine of [{wanted}] can run here ({why}); there is [{have}]: name one of these in the board file, or run `cargo xtask setup`"
    )]
    Backend {
        /// The engines that were asked for.
        wanted: String,
        /// Why they cannot run.
        why: String,
        /// The engines that can.
        have: String,
    },
    /// A file is not a network that the engine can run.
    #[error(
        "{path} is not a network that can be run ({said}); bring it again with `cargo xtask setup`, or with `git checkout` where it came with the repository"
    )]
    Network {
        /// The file.
        path: PathBuf,
        /// What the engine said.
        said: String,
    },
    /// A network failed while it ran.
    #[error("the network {path} failed ({said}); check that its inputs are those that its manifest names")]
    Inference {
        /// The file that the network came from.
        path: PathBuf,
        /// What the engine said.
        said: String,
    },
    /// A tensor has not the shape that it should have.
    #[error(
        "{what} has shape {got:?} where {expected:?} is needed; check that the file is the one that set-up brings"
    )]
    Shape {
        /// The tensor.
        what: String,
        /// The shape that was needed.
        expected: Vec<usize>,
        /// The shape that came.
        got: Vec<usize>,
    },
    /// Two models that read all that is signed would both say each sign.
    #[error(
        "{} and {} do the same for continuous signing, and one signer has one caption; give --model only one of them", models[0], models[1]
    )]
    TwoContinuous {
        /// Their names.
        models: [String; 2],
    },
    /// Poses without hands cannot be read.
    #[error(
        "these poses have no hand landmarks, so no sign can be read; record them with hands, or read the video itself"
    )]
    NoHands,
    /// A format's own error: a `.pose`, a lexicon, a model.
    #[error(transparent)]
    Format(#[from] models::Error),
    /// An output has an ending that it cannot have here.
    #[error("{path} cannot be written here; choose a name that ends in {endings}")]
    WrongEnding {
        /// The output.
        path: PathBuf,
        /// What it may end in.
        endings: String,
    },
    /// Something is to be kept of a source that never ends.
    #[error("{source_name} is a camera and never ends; say with --seconds how much of it to keep")]
    NeedsEnd {
        /// The camera.
        source_name: String,
    },
    /// Landmarks of every frame are asked of a source that may lose frames.
    #[error(
        "{source_name} is a camera, and a camera may lose frames; film a video and name that, or keep what can be seen with `signpost read {source_name} --out FILE.pose --seconds S`"
    )]
    Live {
        /// The camera.
        source_name: String,
    },
    /// The part of a source that was asked for has no frame.
    #[error(
        "{source_name} has no frame where landmarks were asked for; choose --from before --to, both within its length"
    )]
    NoFrame {
        /// What was read.
        source_name: String,
    },
    /// Neither a home nor a state directory is known.
    #[error(
        "no state directory is known to keep signs in; set SIGNPOST_STATE to a folder, or name a file with --signs"
    )]
    NoState,
    /// The file of enrolled signs is not there that was named.
    #[error(
        "{path} is not there; enrol a sign into it first with `signpost enrol add LABEL CLIP... --signs {path}`, or correct the name"
    )]
    NoSigns {
        /// The file.
        path: PathBuf,
    },
    /// Signs were enrolled with another network.
    #[error(
        "the signs were enrolled with another {model} than this program has, so nothing can be compared with them; delete their file (`signpost enrol list` names it) and enrol again from the clips"
    )]
    EnrolAgain {
        /// The model.
        model: String,
    },
    /// A model that is to embed does something else.
    #[error("the model {model} embeds no signs; take it again from the repository")]
    NoEmbedding {
        /// The model.
        model: String,
    },
    /// A model that is to name signs embeds them.
    #[error(
        "{model} names no signs by itself; enrol signs with `signpost enrol add`, which are then read with every model"
    )]
    NoNames {
        /// The model.
        model: String,
    },
    /// A text cannot be an enrolled sign's label.
    #[error("the label {label:?} {why}; choose a short word")]
    NoLabel {
        /// The text.
        label: String,
        /// Why not.
        why: &'static str,
    },
    /// Too few or too many clips to enrol a sign from.
    #[error("{given} clips were given; record the sign three to five times, and name each clip")]
    Examples {
        /// How many were given.
        given: usize,
    },
    /// A clip was named twice.
    #[error("{clip} was given twice; record the sign once more")]
    SameClip {
        /// The clip.
        clip: PathBuf,
    },
    /// A clip is no example of a sign.
    #[error(
        "{clip} {why}; film the sign once, from hands down to hands down, with shoulders and both hands in view"
    )]
    NoExample {
        /// The clip.
        clip: PathBuf,
        /// What it shows.
        why: String,
    },
    /// A clip does not resemble the others of its sign.
    #[error(
        "{clip} does not resemble the other clips ({fit:.2}, and {least:.2} is needed); record that one again, or leave it out"
    )]
    OddExample {
        /// The clip.
        clip: PathBuf,
        /// Its cosine with the others.
        fit: f32,
        /// The cosine that is needed.
        least: f32,
    },
    /// The label is enrolled already.
    #[error(
        "{label:?} is enrolled already; take it back first with `signpost enrol remove`, or choose another label"
    )]
    Enrolled {
        /// The label as it was enrolled.
        label: String,
    },
    /// No more signs can be enrolled.
    #[error("{most} signs are enrolled, and that is the most; take some back with `signpost enrol remove`")]
    ManySigns {
        /// The most.
        most: usize,
    },
    /// There is no such enrolled sign.
    #[error("{label:?} is not enrolled; {next}")]
    NotEnrolled {
        /// The label.
        label: String,
        /// What can be done.
        next: String,
    },
    /// Neither a home nor a cache directory is known.
    #[error("no cache directory is known; set SIGNPOST_CACHE to the folder that `cargo xtask setup` filled")]
    NoStore,
    /// Nobody was in the picture.
    #[error(
        "nobody was seen in the {frames} frames of {source_name}; film one person from the front, shoulders and both hands in view, in good light"
    )]
    Nobody {
        /// What was read.
        source_name: String,
        /// How many frames it had.
        frames: u64,
    },
    /// There is nothing to sign.
    #[error("the text is empty; give at least one word")]
    TextEmpty,
    /// The text is longer than is signed at once.
    #[error("the text has {length} characters; give at most {most} at a time")]
    TextTooLong {
        /// Characters given.
        length: usize,
        /// Characters allowed.
        most: usize,
    },
    /// The text needs more signs and letters than are signed at once.
    #[error("the text needs {signs} signs and letters; give a shorter one, of at most {most}")]
    TooManySigns {
        /// Signs and letters that it needs.
        signs: usize,
        /// Signs and letters allowed.
        most: usize,
    },
    /// No lexicon was given.
    #[error("there is no lexicon; run `cargo xtask setup`, or name a folder with --lexicon")]
    NoLexicon,
    /// No lexicon has this sign language.
    #[error("no lexicon has the sign language \"{signed}\"; choose one of {known}")]
    UnknownLanguage {
        /// As asked for.
        signed: String,
        /// Those that there are.
        known: String,
    },
    /// The lexicons have no entries of this sign language for this spoken language.
    #[error(
        "the lexicons have no words in \"{spoken}\" for the sign language {signed}; choose one of {known}"
    )]
    UnknownSpoken {
        /// Sign language.
        signed: String,
        /// As asked for.
        spoken: String,
        /// Those that there are.
        known: String,
    },
    /// A translator is of other languages than what is to be signed.
    #[error(
        "{path} translates {is}, and {wanted} is needed; give --translator a folder of these languages, or leave it out to sign word by word"
    )]
    TranslatorLanguage {
        /// Its folder.
        path: PathBuf,
        /// From what into what it translates.
        is: String,
        /// What was asked for.
        wanted: String,
    },
    /// An embedder is of other languages than what is to be signed.
    #[error(
        "{path} embeds words of {is}, and {wanted} is needed; give --embedder a file of these languages, or leave it out"
    )]
    EmbedderLanguage {
        /// Its file.
        path: PathBuf,
        /// Its languages.
        is: String,
        /// What was asked for.
        wanted: String,
    },
    /// No word of the text is in a lexicon, and none can be spelled.
    #[error(
        "nothing in \"{text}\" can be signed in {signed}: no lexicon has these words, and its alphabet has none of these letters; write it in the script of that alphabet, or add a lexicon with --lexicon"
    )]
    NothingToSign {
        /// The text.
        text: String,
        /// Sign language.
        signed: String,
    },
    /// Recordings of some signs of a text cannot be used; the others were signed.
    #[error(
        "{signs} cannot be signed ({why}); all others were; mend or replace the recordings, or name another --lexicon"
    )]
    SignsLeftOut {
        /// Their glosses.
        signs: String,
        /// Why, of the first.
        why: String,
    },
    /// Clips were found, and none could be used.
    #[error(
        "none of the clips for this text can be used ({why}); run `cargo xtask setup` again, or mend the lexicon"
    )]
    NoUsableClip {
        /// What was wrong with the first.
        why: String,
    },
    /// A frame rate that no track is made in.
    #[error("{fps} frames a second is not possible; choose {least} to {most}")]
    FrameRate {
        /// As asked for.
        fps: f32,
        /// The lowest.
        least: f32,
        /// The highest.
        most: f32,
    },
    /// A speed that nothing is signed at.
    #[error("signing {speed} times as fast is not possible; choose {least} to {most}")]
    Speed {
        /// As asked for.
        speed: f32,
        /// The lowest.
        least: f32,
        /// The highest.
        most: f32,
    },
    /// Lines of a feed were not signed.
    #[error("{}", unsigned_lines(*signed, *failed, *left_out))]
    FeedLines {
        /// Lines that were.
        signed: usize,
        /// Lines that cannot be signed.
        failed: usize,
        /// Lines that had to go for newer ones.
        left_out: usize,
    },
    /// A video could not be written.
    #[error("ffmpeg could not write {path}: {said}; check the free space and the rights of its folder")]
    Encode {
        /// The video.
        path: PathBuf,
        /// The last line that it printed.
        said: String,
    },
    /// There is no desktop to open a window on.
    #[error(
        "no window can be opened ({why}); write a video instead, with `sign --out FILE.mp4` or `read --show FILE.mp4`"
    )]
    NoDisplay {
        /// What was missing.
        why: String,
    },
    /// The kernel has no display that this program may use.
    #[error(
        "there is no screen to show it on ({why}); run this on the unit, as a user of the groups `video` and `input`, and without a desktop that holds the screen"
    )]
    NoScreen {
        /// What was missing.
        why: String,
    },
    /// Somebody closed the window.
    #[error("the window was closed; start the program again to go on")]
    Closed,
    /// The folder of an output is not there.
    #[error("there is no folder for {path}; make it first, or choose another place")]
    NoFolder {
        /// The output.
        path: PathBuf,
    },
    /// A video that would have to be transparent.
    #[error("{path}: a video keeps no transparency; choose `--over green`, or a folder for pictures")]
    NotTransparent {
        /// The output.
        path: PathBuf,
    },
    /// An output of a kind that is not written.
    #[error(
        "{path}: outputs end in .mp4, .gif, .png, .pose, .json, .srt or .vtt, or name a folder for pictures with a / at the end; choose one of these"
    )]
    UnknownOutput {
        /// The output.
        path: PathBuf,
    },
    /// A picture cannot be read, or is none.
    #[error(
        "{from} holds no picture that can be read ({said}); give a picture or clip that other programs can show"
    )]
    Picture {
        /// The file, device or frame.
        from: String,
        /// What is wrong with it.
        said: String,
    },
    /// A folder holds no picture.
    #[error("{path} holds no picture; put .jpg or .png files into it, named in their order")]
    NoPictures {
        /// The folder.
        path: PathBuf,
    },
    /// A video ends before its time.
    #[error(
        "{path} is cut short: {got} of {promised} frames could be read; they were used, but copy the file again for the rest"
    )]
    CutShort {
        /// The file.
        path: PathBuf,
        /// Frames that were read.
        got: u64,
        /// Frames that it promised.
        promised: u64,
    },
    /// A camera cannot be used.
    #[error("no picture from the camera {device} ({tried}); {next}")]
    Camera {
        /// The device.
        device: PathBuf,
        /// What was tried, and how it ended.
        tried: String,
        /// The next step.
        next: String,
    },
    /// The system gave no thread.
    #[error("the thread `{name}` could not be started: {source}; free some memory and try again")]
    Thread {
        /// The thread.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// A thread of this program panicked.
    #[error(
        "the thread `{name}` died of a fault in this program, which it printed; start the program again, and report what it printed"
    )]
    ThreadDied {
        /// The thread.
        name: String,
    },
}

impl Fault {
    /// What the system said about a file that it would not read or write.
    pub fn file(path: impl Into<PathBuf>, source: io::Error) -> Self {
        let path = path.into();
        match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::DiskFull { path },
            _ => Self::File { path, source },
        }
    }

    /// What is wrong with a feed of which so many lines were signed, could not be signed, and were left out.
    ///
    /// # Errors
    /// [`Self::FeedLines`] where any was not signed, [`Self::TextEmpty`] where there were none.
    pub fn of_feed(signed: usize, failed: usize, left_out: usize) -> Result<(), Self> {
        match (signed, failed + left_out) {
            (0, 0) => Err(Self::TextEmpty),
            (_, 0) => Ok(()),
            _ => Err(Self::FeedLines { signed, failed, left_out }),
        }
    }
}

/// Each reason with what can be done about it.
fn unsigned_lines(signed: usize, failed: usize, left_out: usize) -> String {
    let total = signed + failed + left_out;
    let reasons = [
        (failed, "could not be signed: add a lexicon that has their words with --lexicon"),
        (left_out, "came faster than they can be signed: send fewer, or raise --speed"),
    ];
    let reasons = reasons.iter().filter(|(lines, _)| *lines > 0);
    let reasons: Vec<String> =
        reasons.map(|(lines, why)| format!("{lines} of {total} lines {why}")).collect();
    format!("{}; all others were signed", reasons.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: ErrorKind, expect: &str) {
        let said = Fault::file("out/a.png", kind.into()).to_string();
        assert!(said.contains("out/a.png") && said.contains(expect), "{said}");
    }

    #[test]
    fn a_full_disk_asks_for_space_and_a_missing_file_for_the_file() {
        check(ErrorKind::StorageFull, "free some space");
        check(ErrorKind::QuotaExceeded, "free some space");
        check(ErrorKind::NotFound, "check that it exists");
        check(ErrorKind::PermissionDenied, "this user may use it");
    }
}
