//! What can go wrong in training and evaluation. Each message is one sentence that ends in the next step.

use std::path::{Path, PathBuf};

use crate::extract::Summary;
use crate::signx::track::Track;
use crate::train::Astray;

/// An error of the host's tools.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A format or a model could not be read.
    #[error(transparent)]
    Models(#[from] models::Error),
    /// The system refused to read or write.
    #[error("cannot {doing} {}: {error}; check the path, the rights and the free space, then try again", path.display())]
    Io {
        /// What was being done, as a verb.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// The index of a data set is not in the form expected.
    #[error("{}, line {line}: {why}; the index wants tab-separated columns offset_frames, n_frames and label (or gloss)", path.display())]
    Index {
        /// The `.tsv` file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        why: String,
    },
    /// The frames of a data set cannot be unpacked.
    #[error("{}: {why}; copy the data set again from its source", path.display())]
    Frames {
        /// The `.f16.gz` file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The rows of a data set are of a width that is not known.
    #[error("{}: {values} values for {frames} frames are no rows of 258 (pose and hands) or 126 (hands) values; check that the .tsv belongs to it", path.display())]
    Width {
        /// The `.f16.gz` file.
        path: PathBuf,
        /// How many values it holds.
        values: usize,
        /// How many frames the index counts.
        frames: usize,
    },
    /// No clip is left to work on.
    #[error("{what}: no clip is left; {next}")]
    NoClips {
        /// Where clips were looked for.
        what: String,
        /// What to do.
        next: String,
    },
    /// The engine refuses a network.
    #[error("the network of {model} does not run: {why}; make it again with its recipe")]
    Network {
        /// The model.
        model: String,
        /// What the engine said.
        why: String,
    },
    /// The exported network does not compute what the trained one does.
    #[error(
        "the exported network differs from the trained one by {found} (at most {limit} is rounding), so nothing was written; report this with the recipe and the seed"
    )]
    Export {
        /// The largest difference between two logits.
        found: f32,
        /// What rounding explains.
        limit: f32,
    },
    /// Training went astray.
    #[error(
        "at step {step} of {recipe} the loss {} (the last: {last:?}), so nothing was written; train again with --fresh and a rate lower than {rate} (--rate) or another --seed{}",
        match how { Astray::NoNumber => "is no number any more", Astray::FarAboveBest => "stands far above its best" },
        kept.as_ref().map_or(String::new(), |(step, path)| format!(", or look into the checkpoint of step {step}, which stays in {}", path.display()))
    )]
    Loss {
        /// The recipe.
        recipe: String,
        /// The step, from 0.
        step: usize,
        /// What is wrong with it.
        how: Astray,
        /// The last losses that were looked at, oldest first.
        last: Vec<f32>,
        /// The highest learning rate.
        rate: f64,
        /// The checkpoint from before, with its step.
        kept: Option<(usize, PathBuf)>,
    },
    /// A checkpoint is of no use for a run.
    #[error("the checkpoint {} cannot be gone on from: {why}; train again with --fresh to start over, or with another --out", path.display())]
    Checkpoint {
        /// Its file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A line of a corpus's manifest is none.
    #[error("{}, line {line}: {why}; each line is an object such as {{\"id\": \"a\", \"video\": \"a.mp4\"}}", path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        why: String,
    },
    /// The program that makes landmarks is not there, or is another.
    #[error("{} is not the program signpost ({why}); build it with `cargo build`, or name it with --signpost", path.display())]
    NoProgram {
        /// Where it was looked for.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Slurm's variables name no shard.
    #[error("Slurm's variables name no shard: {why}; name it with --shard I/N")]
    Slurm {
        /// What is wrong with them.
        why: String,
    },
    /// No video would give landmarks on this machine, so that none was put into quarantine.
    #[error(
        "{program} cannot work here, as {id} showed: {why}; mend that and run this again, what is done stands"
    )]
    Extract {
        /// The program, with its version.
        program: String,
        /// The entry that it was at.
        id: String,
        /// What it said.
        why: String,
    },
    /// Some videos of a corpus have no landmarks.
    #[error(
        "{} of {} videos have no landmarks; see the lines above and the reasons in {}, mend or replace the videos, and run this again with --retry-quarantined",
        summary.without(), summary.total, quarantine.display()
    )]
    Unextracted {
        /// The counts.
        summary: Summary,
        /// Where the reasons are.
        quarantine: PathBuf,
    },
    /// A line of a corpus of continuous signing is none.
    #[error(
        "{}, line {line}: {why}; each line is an object such as {{\"id\": \"a\", \"pose\": \"a.pose\", \"glosses\": [{{\"gloss\": \"HELLO\", \"start_s\": 0.2, \"end_s\": 0.9}}]}}",
        path.display()
    )]
    Utterances {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        why: String,
    },
    /// A line of a corpus of sentences is none.
    #[error(
        "{}, line {line}: {why}; a table wants columns text and gloss (or translation and orth) parted by tabs, | or commas, JSON objects with text and gloss, and NAME.en a NAME.gloss.asl of as many lines",
        path.display()
    )]
    Sentences {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        why: String,
    },
    /// A model does not do what is to be scored.
    #[error(
        "{model} tells single signs apart and cannot give {what}; give what a recogniser said with --hypothesis"
    )]
    OtherKind {
        /// The model.
        model: String,
        /// What it should give.
        what: &'static str,
    },
    /// A model that names signs is no embedding.
    #[error(
        "{model} names the signs that it was taught and enrols none; give the model sign-embedding, or the folder of another embedding"
    )]
    NoEmbedding {
        /// The model.
        model: String,
    },
    /// An embedding names no signs.
    #[error(
        "{model} enrols signs and names none by itself; score it with `signpost-host evaluate enrolment`"
    )]
    NoNames {
        /// The model.
        model: String,
    },
    /// Two sides that are to be compared have nothing in common.
    #[error("{} has nothing of what {} has ({example:?} for one); give two sides with the same names", hypothesis.display(), data.display())]
    NothingInCommon {
        /// What was said.
        hypothesis: PathBuf,
        /// What it is compared with.
        data: PathBuf,
        /// A name of the data.
        example: String,
    },
    /// A recording is longer than is compared.
    #[error(
        "{name} would take {frames} frames, more than the {limit} that are compared; cut it into parts, or correct its times"
    )]
    LongRecording {
        /// Its name.
        name: String,
        /// How many frames.
        frames: usize,
        /// How many at most.
        limit: usize,
    },
    /// A confusion matrix has too many labels for a picture.
    #[error(
        "{labels} labels are too many for a picture (at most {limit}); take the confusions of --json, or choose groups with --only-group"
    )]
    ManyLabels {
        /// How many there are.
        labels: usize,
        /// How many fit.
        limit: usize,
    },
    /// A file of a language model's folder is missing or wrong.
    #[error("{}: {why}; give a folder with config.json, tokenizer.json and the .safetensors of a Qwen2.5 model, or one that `signpost-host quantize` wrote, copied whole", path.display())]
    Language {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A file of a sentence embedder's folder is missing or wrong.
    #[error("{}: {why}; give a folder with model.onnx and tokenizer.json of a sentence embedder as sentence-transformers publishes them, copied whole", path.display())]
    Sentence {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A file of a SignX model's folder is missing or wrong.
    #[error("{}: {why}; give a folder that `signpost-host train signx-small` wrote, copied whole", path.display())]
    SignX {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A lexicon cannot be made or shown.
    #[error("{}: {why}; give lexicon folders with recordings of signs, or another text", path.display())]
    Lexicon {
        /// The folder or recording.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A tokenizer cannot cut a text or put it together.
    #[error(
        "the tokenizer does not take the text ({why}); copy tokenizer.json again from where the model came from"
    )]
    Text {
        /// What it said.
        why: String,
    },
    /// A translator goes the other way.
    #[error("{} translates {is}, not {wanted}; give the folder of one that does with --model", model.display())]
    Direction {
        /// Its folder.
        model: PathBuf,
        /// What it translates, in words.
        is: &'static str,
        /// What was asked for, in words.
        wanted: &'static str,
    },
    /// A line of standard input is no text.
    #[error(
        "line {number} of standard input: {why}; the lines before it are translated, so correct it and go on from there"
    )]
    Line {
        /// Its number, from 1.
        number: usize,
        /// What is wrong with it.
        why: String,
    },
    /// A file is no array, or an archive without the arrays wanted.
    #[error("{}: {why}; write it again with the tool that made it, as arrays of numbers", path.display())]
    Array {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A pose track cannot be used.
    #[error(
        "{}, {track}{}: {why}; {next}",
        path.display(), frame.map_or(String::new(), |frame| format!(", frame {frame}"))
    )]
    Track {
        /// The file or folder.
        path: PathBuf,
        /// Which track it should be.
        track: Track,
        /// The frame, from 0.
        frame: Option<usize>,
        /// What is wrong there.
        why: String,
        /// What to do.
        next: &'static str,
    },
    /// A text on the command line cannot be understood.
    #[error("{option} {given:?} is not {expected}; correct the command line")]
    Argument {
        /// The option.
        option: &'static str,
        /// What was given.
        given: String,
        /// What is expected.
        expected: String,
    },
}

impl Error {
    /// What the system said about a file or folder; `doing` is a verb.
    pub fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |error| Self::Io { doing, path: path.to_owned(), error }
    }
}
