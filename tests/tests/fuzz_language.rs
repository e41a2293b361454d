//! No bytes of a translator's manifest, a corpus of sentences, a language model's folder or a line of text make
//! their readers panic, hang or believe nonsense.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::convert::Infallible;
use std::fs;
use std::path::{Path, PathBuf};

use edge::feed::Lines;
use host::Error;
use host::aurallm::{Bits, Cpu, Language, quantize};
use host::data::sentences::sentences;
use host::train::retrieval::sentence::SentenceModel;
use models::manifest::{MANIFEST, sha256};
use models::translator::{
    Direction, ENCODER, Encoded, Networks, Pieces, STEP, Sizes, StepInput, StepOutput, TranslatorManifest,
    TranslatorModel, text, translate,
};
use tests::fuzz::{Random, rounds};

const BYTES: &[u8] = b"network";

fn manifest() -> TranslatorManifest {
    TranslatorManifest {
        name: "test".into(),
        kind: Direction::TextToGloss,
        spoken: "de".into(),
        signed: "gsg".into(),
        encoder_sha256: sha256(BYTES),
        step_sha256: sha256(BYTES),
        sizes: Sizes { source: 7, target: 4, beam: 2, layers: 1, heads: 1, head: 2 },
        penalty: 1.0,
        source: Pieces::learn(["der regen regnet der regen"], 30),
        target: Pieces::of_words(["REGEN MORGEN"]),
        data: vec![],
        metrics: vec![],
        recipe: "none".into(),
    }
}

/// Networks that answer with anything, broken numbers among it.
struct Anything {
    random: Random,
    sizes: Sizes,
    pieces: usize,
}

impl Anything {
    fn values(&mut self, count: usize) -> Vec<f32> {
        let value = |random: &mut Random| match random.below(12) {
            0 => f32::NAN,
            1 => f32::INFINITY,
            2 => f32::NEG_INFINITY,
            n => -(n as f32) / 3.0,
        };
        (0..count).map(|_| value(&mut self.random)).collect()
    }
}

impl Networks for Anything {
    type Error = Infallible;

    fn encode(&mut self, source: &[f32], there: &[f32]) -> Result<Encoded, Infallible> {
        assert_eq!([source.len(), there.len()], [self.sizes.source; 2]);
        let count = self.sizes.layers * self.sizes.width() * self.sizes.source;
        Ok(Encoded { keys: self.values(count), values: self.values(count), heard: vec![] })
    }

    fn step(&mut self, input: &StepInput) -> Result<StepOutput, Infallible> {
        let known = |piece: &f32| *piece >= 0.0 && (*piece as usize) < self.pieces;
        assert!(input.pieces.iter().all(known), "{:?}", input.pieces);
        let kept = self.sizes.layers * self.sizes.beam * self.sizes.width();
        let (keys, values) = (self.values(kept), self.values(kept));
        Ok(StepOutput { next: self.values(self.sizes.beam * self.pieces), keys, values })
    }
}

#[test]
fn manifests_of_any_bytes_translate_or_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(ENCODER), BYTES).unwrap();
    fs::write(folder.path().join(STEP), BYTES).unwrap();
    let seed = serde_json::to_vec(&manifest()).unwrap();
    let mut random = Random(23);
    let mut opened = 0;
    for round in 0..rounds() {
        let bytes =
            if round == 0 { seed.clone() } else { random.mutate(&seed, b"-1e39,null,[[3,4],[0,1]],\"\"") };
        fs::write(folder.path().join(MANIFEST), bytes).unwrap();
        match TranslatorModel::open(folder.path()) {
            Ok(TranslatorModel { manifest, .. }) => {
                // A unit has the memory that the limits allow; a test need not use it.
                if manifest.sizes.width() * manifest.sizes.source * manifest.sizes.layers > 1 << 16 {
                    continue;
                }
                opened += 1;
                let (sizes, pieces) = (manifest.sizes, manifest.target.len());
                let mut networks = Anything { random: Random(u64::from(round)), sizes, pieces };
                let Ok(said) = translate(&manifest, &mut networks, "der regen, morgen der regen");
                let words = said.split(' ').filter(|w| !w.is_empty());
                assert!(words.count() <= 40 * (sizes.target + 1));
            }
            Err(error) => assert_eq!(error.to_string().lines().count(), 1, "one sentence: {error}"),
        }
    }
    assert!(opened > 0, "some opened");
}

#[test]
fn any_line_has_a_normal_form_and_is_cut_whole() {
    let seed = "Über 3,5 Grad (böig)! 今天，天气好。 👍🏽\u{202e} مرحبا e\u{301}".as_bytes();
    let (mut random, pieces) = (Random(5), manifest().source);
    for _ in 0..rounds() {
        let line =
            String::from_utf8_lossy(&random.mutate(seed, "\u{feff}\u{1b}[2J\u{0}ſﬁ".as_bytes())).into_owned();
        let normal = text::normal(&line);
        assert_eq!(text::normal(&normal), normal, "{line:?}");
        assert!(!normal.contains("  ") && normal.trim() == normal && !normal.contains('\n'));
        assert_eq!(text::parts(&normal).join(" "), normal);
        let glosses = text::normal_glosses(&line);
        assert_eq!(text::normal_glosses(&glosses), glosses, "{line:?}");
        let cut = pieces.encode(&normal);
        assert!(cut.iter().all(|piece| (*piece as usize) < pieces.len()));
        assert_eq!(cut.is_empty(), normal.is_empty());
    }
}

#[test]
fn corpora_of_any_bytes_are_read_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let seeds: [(&str, &str); 4] = [
        ("a.tsv", "name\tgloss\ttext\na\tMORGEN REGEN\tmorgen \"regen .\n"),
        ("a.csv", "Number,Chinese Sentences,Gloss,Note\nd1,\"好，吗？\",好/吗/？,\n"),
        ("a.jsonl", "{\"text\":\"a b\",\"gloss\":[\"A\",\"B\"]}\n{\"text\":\"c\",\"gloss\":\"C\"}\n"),
        ("a.en", "one .\ntwo\n"),
    ];
    fs::write(folder.path().join("a.gloss.asl"), "ONE .\nTWO\n").unwrap();
    let mut random = Random(31);
    for (name, seed) in seeds {
        let path = folder.path().join(name);
        for _ in 0..rounds() / 4 {
            fs::write(&path, random.mutate(seed.as_bytes(), b"|,\"\t\r\n\xff[{\"text\":\"\x00\"}]")).unwrap();
            match sentences(&path) {
                Ok(found) => assert!(found.iter().all(|s| !s.text.is_empty() && !s.glosses.is_empty())),
                Err(error) => {
                    let said = error.to_string();
                    assert!(said.contains(name) && said.lines().count() == 1, "one sentence: {said}");
                }
            }
        }
    }
}

#[test]
fn language_models_of_any_bytes_are_opened_or_refused() {
    let parity = Path::new(env!("CARGO_MANIFEST_DIR")).join("parity/qwen");
    let folder = tempfile::tempdir().unwrap();
    let files: [(&str, PathBuf); 3] = [
        ("config.json", parity.join("untied/config.json")),
        ("model.safetensors", parity.join("untied/model.safetensors")),
        ("tokenizer.json", parity.join("tokenizer.json")),
    ];
    for (name, from) in &files {
        fs::copy(from, folder.path().join(name)).unwrap();
    }
    check_any_bytes(folder.path(), &files, 41, open_language);
}

#[test]
fn quantized_language_models_of_any_bytes_are_opened_or_refused() {
    let parity = Path::new(env!("CARGO_MANIFEST_DIR")).join("parity/qwen");
    let [whole, seed, folder] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    for name in ["blocks/config.json", "blocks/model.safetensors", "tokenizer.json"] {
        let path = parity.join(name);
        fs::copy(&path, whole.path().join(path.file_name().unwrap())).unwrap();
    }
    quantize(whole.path(), Bits::Four, seed.path()).unwrap();
    for name in ["config.json", "tokenizer.json", "model.gguf"] {
        fs::copy(seed.path().join(name), folder.path().join(name)).unwrap();
    }
    let files = [("model.gguf", seed.path().join("model.gguf"))];
    check_any_bytes(folder.path(), &files, 43, open_language);
}

fn open_language(folder: &Path) -> Result<(), Error> {
    let language = Language::<Cpu>::open(folder, &Default::default())?;
    let tokens = language.tokens("morgen 🙂").unwrap_or_default();
    assert!(
        tokens.iter().all(|t| (*t as usize) < language.config.vocab_size),
        "no token is beyond the weights"
    );
    Ok(())
}

#[test]
fn sentence_embedders_of_any_bytes_are_opened_or_refused() {
    let parity = Path::new(env!("CARGO_MANIFEST_DIR")).join("parity/sentence");
    let folder = tempfile::tempdir().unwrap();
    let files = ["model.onnx", "tokenizer.json"].map(|name| (name, parity.join(name)));
    for (name, from) in &files {
        fs::copy(from, folder.path().join(name)).unwrap();
    }
    check_any_bytes(folder.path(), &files, 47, |folder| {
        let model = SentenceModel::open(folder)?;
        if let Ok(vector) = model.embed("morgen 🙂") {
            let length = vector.iter().map(|v| v * v).sum::<f32>();
            assert!((length - 1.0).abs() < 1e-3, "a vector has length 1, not {length}");
        }
        Ok(())
    });
}

/// Breaks one file of a folder after the other.
fn check_any_bytes(
    folder: &Path,
    files: &[(&str, PathBuf)],
    seed: u64,
    open: impl Fn(&Path) -> Result<(), Error>,
) {
    let mut random = Random(seed);
    for file in files {
        let (name, from) = file;
        let seed = fs::read(from).unwrap();
        for _ in 0..rounds() / 20 {
            // The head of the weights is what a reader believes; the rest are numbers.
            let (head, rest) = seed.split_at(seed.len().min(16 << 10));
            let broken = [&random.mutate(head, b"9999999999,-1,[],{}")[..], rest].concat();
            fs::write(folder.join(name), broken).unwrap();
            if let Err(error) = open(folder) {
                assert!(error.to_string().contains("copied whole"), "{error}");
            }
        }
        fs::copy(from, folder.join(name)).unwrap();
    }
}

/// A feed of any bytes: its lines are what splitting at line ends gives, none is empty, and none is without bounds.
#[test]
fn feeds_of_any_bytes_are_read_line_by_line() {
    let seed = "guten tag\n\n  morgen regen \r\n你好\nende".as_bytes();
    let long = [&[b'x'; 200_000][..], b"\nkurz"].concat();
    let mut random = Random(23);
    for _ in 0..rounds() {
        let bytes = random.mutate(seed, &long);
        let expect: Vec<String> = bytes
            .split(|b| *b == b'\n')
            .map(|line| String::from_utf8_lossy(&line[..line.len().min(1 << 16)]).trim().to_owned())
            .filter(|line| !line.is_empty())
            .collect();
        let mut lines = Lines::of(std::io::Cursor::new(bytes));
        let read: Vec<String> = std::iter::from_fn(|| lines.next_line().unwrap()).collect();
        assert!(read == expect, "{} lines, not {}", read.len(), expect.len());
    }
}
