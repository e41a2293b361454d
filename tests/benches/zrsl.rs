//! What each part of the way from a text to signs is worth: AuraLLM's Table 5 (retrieval, embedding, the adapted
//! language model), with a lexicon that lacks a tenth of the glosses.
//!
//! `cargo xtask bench zrsl --data DATA --corpus phoenix14t|ce-csl --lexicon FOLDER [--model FOLDER [--adapter
//! FOLDER]] [--embedder FILE] [--sentences N]`. The lexicon, which has no clips, is written into its folder, so that
//! `signpost-host adapt --lexicon` can learn with it; the model is a translator of text into glosses, or a language
//! model with the adapter that was trained on it. It has no clock: it is a bench because it needs what only a training
//! gives.

#![allow(clippy::unwrap_used, reason = "a bench may stop where something is missing")]

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use edge::production::{Dictionary, Planned, Provenance};
use host::aurallm::{Candidates, Decoding, Instruction, LanguageRunner};
use host::data::sentences::{Sentence, sentences};
use host::evaluate::{Translates, TranslatorRunner};
use host::train::translator::TranslatorRecipe;
use models::lexicon::Lexicon;
use models::manifest::sha256;
use models::metrics::words::edit_distance;
use models::retrieval::Subword;
use models::translator::{Direction, TranslatorModel};
use tests::bench::args;

/// The lexicon lacks one gloss of so many.
const LACKS: u64 = 10;
/// Translations that a language model follows at once.
const BEAM: usize = 5;

fn main() {
    let args = args(&["data", "corpus", "lexicon", "model", "adapter", "embedder", "sentences"]);
    let given = |name: &str| args.get(name).map_or_else(|| panic!("give --{name}"), |v| v.clone());
    let name = format!("{}-gloss", given("corpus"));
    let corpus = TranslatorRecipe::find(&name).expect("--corpus phoenix14t or ce-csl").corpus;
    let read = |part: &str| sentences(&Path::new(&given("data")).join(part)).unwrap();
    let most = args.get("sentences").map_or(usize::MAX, |v| v.parse().expect("a number"));
    let dev: Vec<Sentence> = read(corpus.dev).into_iter().take(most).collect();

    let glosses = |s: &Sentence| words(&Direction::GlossToText.normal(&s.glosses));
    let all: BTreeSet<String> = read(corpus.train).iter().flat_map(glosses).collect();
    let known: BTreeSet<String> = all.iter().filter(|gloss| !lacks(gloss)).cloned().collect();
    println!("{} of {} glosses in the lexicon, {} sentences", known.len(), all.len(), dev.len());
    let folder = PathBuf::from(given("lexicon"));
    write_lexicon(&folder, &known, [corpus.spoken, corpus.signed]);
    let dictionary = || {
        let lexicon = Lexicon::open(&folder).unwrap();
        Dictionary::new(vec![lexicon], corpus.signed, Some(corpus.spoken)).unwrap()
    };
    let plain = dictionary();
    let embedded = args.get("embedder").map(|file| {
        let embedder = Subword::read(Path::new(file)).unwrap();
        dictionary().with_embed(Box::new(embedder))
    });

    let open = |model: &String| -> Box<dyn Translates> {
        let model = Path::new(model);
        let Some(adapter) = args.get("adapter") else {
            return Box::new(TranslatorRunner::new(&TranslatorModel::open(model).unwrap()).unwrap());
        };
        let how = Decoding::Beam { beam: BEAM, penalty: 1.0 };
        let candidates = |told: &Instruction| {
            let embedder = args.get("embedder").map(Path::new);
            let open =
                || Candidates::open(std::slice::from_ref(&folder), embedder, [corpus.spoken, corpus.signed]);
            told.candidates.then(open).transpose()
        };
        Box::new(LanguageRunner::open(model, adapter.as_ref(), how, candidates).unwrap())
    };
    let said: Option<Vec<String>> = args.get("model").map(|model| {
        let mut runner = open(model);
        dev.iter().map(|s| runner.translate(&s.text).unwrap()).collect()
    });
    let truth: Vec<String> = dev.iter().map(|s| glosses(s).join(" ")).collect();

    println!("| what | CER, % | signed whole, % |\n|---|---|---|");
    let row = |what: &str, signed: &dyn Fn(usize) -> Signed| {
        let (mut wrong, mut length, mut whole) = (0, 0, 0);
        for (i, truth) in truth.iter().enumerate() {
            let signed = signed(i);
            let [signs, truth] = [&signed.glosses.concat(), truth].map(|t| characters(t));
            wrong += edit_distance(&truth, &signs);
            length += truth.len();
            whole += usize::from(signed.whole);
        }
        let share = |count: usize, of: usize| 100.0 * count as f64 / of as f64;
        println!("| {what} | {:.2} | {:.1} |", share(wrong, length), share(whole, dev.len()));
    };
    let exact = |glosses: &str| {
        let (there, absent): (Vec<_>, Vec<_>) = words(glosses).into_iter().partition(|g| known.contains(g));
        Signed { whole: absent.is_empty() && !there.is_empty(), glosses: there }
    };
    let by_words = |dictionary: &Dictionary, text: &str| {
        dictionary.plan(text).map_or_else(|_| Signed::default(), |words| Signed::of(dictionary, &words))
    };
    let by_glosses =
        |dictionary: &Dictionary, said: &str| Signed::of(dictionary, &dictionary.plan_glosses(said));
    row("retrieval", &|i| by_words(&plain, &dev[i].text));
    if let Some(embedded) = &embedded {
        row("retrieval, embedding", &|i| by_words(embedded, &dev[i].text));
    }
    if let Some(said) = &said {
        row("model", &|i| exact(&said[i]));
        row("model, retrieval", &|i| by_glosses(&plain, &said[i]));
        if let Some(embedded) = &embedded {
            row("model, retrieval, embedding", &|i| by_glosses(embedded, &said[i]));
        }
    }
    row("the data's own glosses", &|i| exact(&truth[i]));
    row("the data's own glosses, retrieval", &|i| by_glosses(embedded.as_ref().unwrap_or(&plain), &truth[i]));
}

/// What is signed of a sentence.
#[derive(Default)]
struct Signed {
    glosses: Vec<String>,
    /// Whether nothing was spelled or left out.
    whole: bool,
}

impl Signed {
    fn of(dictionary: &Dictionary, words: &[Planned]) -> Self {
        let asked = || words.iter().filter(|w| w.text.chars().any(char::is_alphanumeric));
        let clips = words.iter().flat_map(|w| &w.clips);
        Self {
            glosses: clips.map(|clip| dictionary.gloss(*clip).to_owned()).collect(),
            whole: asked().count() > 0
                && asked().all(|w| !w.clips.is_empty() && w.provenance != Provenance::Spelled),
        }
    }
}

/// Whether the lexicon lacks a gloss, which follows from the gloss alone.
fn lacks(gloss: &str) -> bool {
    u64::from_str_radix(&sha256(gloss.as_bytes())[..8], 16).unwrap().is_multiple_of(LACKS)
}

fn words(glosses: &str) -> Vec<String> {
    glosses.split_whitespace().map(str::to_owned).collect()
}

/// Without blanks: in one of the two corpora glosses have none.
fn characters(glosses: &str) -> Vec<char> {
    glosses.chars().filter(|c| !c.is_whitespace()).collect()
}

/// Writes a lexicon of these glosses, without clips.
fn write_lexicon(folder: &Path, glosses: &BTreeSet<String>, [spoken, signed]: [&str; 2]) {
    let mut index = "path,spoken_language,signed_language,words,glosses\n".to_owned();
    for (i, gloss) in glosses.iter().enumerate() {
        writeln!(index, "{i}.pose,{spoken},{signed},,\"{}\"", gloss.replace('"', "\"\"")).unwrap();
    }
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("index.csv"), index).unwrap();
}
