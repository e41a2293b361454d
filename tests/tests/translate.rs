//! A translator learns a made-up language, and the commands translate with it, line by line.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use host::data::sentences::{Sentence, sentences};
use host::train::Options;
use host::train::translator::{TranslatorRecipe, Varied, train};
use models::translator::{Direction, ENCODER, TranslatorModel, text};
use tempfile::TempDir;

const DAYS: [&str; 6] = ["montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag"];
const SIGHTS: [&str; 5] = ["regen", "sonne", "nebel", "wind", "schnee"];
/// So many steps teach all of the language.
const STEPS: usize = 500;

/// Sentences and glosses in another order, as sign languages have it.
fn corpus() -> Vec<[String; 2]> {
    let mut pairs = vec![];
    for (i, day) in DAYS.iter().enumerate() {
        for (j, sight) in SIGHTS.iter().enumerate() {
            let then = DAYS[(i + j + 1) % DAYS.len()];
            let capitals = [day, sight, then].map(|w| w.to_uppercase());
            let [d, s, t] = &capitals;
            pairs.push([format!("es gibt {sight} am {day} ."), format!("{d} {s} IX")]);
            pairs.push([
                format!("am {day} kommt {sight} und am {then} auch ."),
                format!("{d} {t} {s} KOMMEN"),
            ]);
        }
    }
    pairs
}

fn table(pairs: &[[String; 2]]) -> String {
    let rows = pairs.iter().enumerate().map(|(i, [text, gloss])| format!("s-{i}\t{gloss}\t{text}\n"));
    "name\tgloss\ttext\n".to_owned() + &rows.collect::<String>()
}

/// A folder with a corpus in the place of PHOENIX14T's, and what was trained on it.
struct Bench(TempDir);

impl Bench {
    /// Trained by a recipe that is as small as the language.
    fn trained(direction: Direction, target_pieces: Option<usize>) -> Self {
        let dir = TempDir::new().unwrap();
        let data = dir.path().join("data/text/phoenix14t");
        fs::create_dir_all(&data).unwrap();
        let pairs = corpus();
        // Seen more than once an epoch, so that an epoch has batches.
        fs::write(data.join("train.tsv"), table(&[&pairs[..], &pairs, &pairs].concat())).unwrap();
        fs::write(data.join("dev.tsv"), table(&pairs[..20])).unwrap();
        let bench = Self(dir);
        let recipe = TranslatorRecipe {
            name: "made-up",
            direction,
            corpus: TranslatorRecipe::find("phoenix14t-gloss").unwrap().corpus,
            source_pieces: 60,
            target_pieces,
            varied: Varied { cut_smaller: 0.1, joined: 0.1 },
            width: 32,
            heads: 2,
            inner: 64,
            layers: [1, 1],
            dropout: 0.0,
            smoothing: 0.0,
            rate: 5e-3,
            epochs: 1,
            networks: 2,
        };
        let options = Options {
            data: bench.at("data"),
            out: bench.model(),
            seed: 1,
            steps: Some(STEPS),
            held_out: vec![],
            leave_out: vec![],
            without: vec![],
            rate: None,
            fresh: false,
            save_every: None,
            networks: None,
            base: None,
            words: None,
        };
        train(&recipe, &options).unwrap();
        bench
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn model(&self) -> PathBuf {
        self.at("model")
    }

    /// Runs a command of the host's on this input.
    fn run(&self, args: &[&str], input: &[u8]) -> Output {
        let model = self.model();
        tests::run_on("signpost-host", [args, &["--model", path(&model)]].concat(), input)
    }

    /// A lexicon with two of the language's glosses, and letters.
    fn lexicon(&self) {
        let folder = self.at("lexicon");
        fs::create_dir_all(&folder).unwrap();
        let clip = tests::made::hand_up();
        models::pose_file::write_track_file(folder.join("a.pose"), &clip).unwrap();
        let mut index = "path,spoken_language,signed_language,words,glosses\n".to_owned();
        index += "a.pose,de,gsg,,MONTAG\na.pose,de,gsg,regen,REGEN\n";
        for letter in "abcdefghijklmnopqrstuvwxyz".chars() {
            index += &format!("a.pose,de,gsg,{letter},{}\n", letter.to_uppercase());
        }
        index += "a.pose,en,ase,rain,RAIN\n";
        fs::write(folder.join("index.csv"), index).unwrap();
    }

    /// Signs a text with the unit's program; arguments that are given twice are the last ones.
    fn sign(&self, text: &str, args: &[&str]) -> Output {
        let (model, lexicon) = (self.model(), self.at("lexicon"));
        let mut all = vec!["sign", text, "--json", "--lexicon", path(&lexicon)];
        for (name, value) in [("--language", "gsg"), ("--translator", path(&model))] {
            if !args.contains(&name) {
                all.extend([name, value]);
            }
        }
        all.extend(args);
        tests::run("signpost", all)
    }

    /// What it answers.
    #[track_caller]
    fn signed(&self, text: &str, args: &[&str]) -> serde_json::Value {
        let output = self.sign(text, args);
        assert!(output.status.success(), "{}", utf8(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The lines that it answers.
    #[track_caller]
    fn lines(&self, args: &[&str], input: &str) -> Vec<String> {
        let output = self.run(args, input.as_bytes());
        assert!(output.status.success(), "{}", utf8(&output.stderr));
        utf8(&output.stdout).lines().map(str::to_owned).collect()
    }

    #[track_caller]
    fn refused(&self, args: &[&str], input: &[u8], expect: &str) {
        let output = self.run(args, input);
        let said = utf8(&output.stderr);
        assert!(!output.status.success() && said.contains(expect), "{said}");
        assert_eq!(said.trim_end().lines().count(), 1, "one sentence: {said}");
    }
}

fn utf8(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn sentences_become_glosses_line_by_line() {
    let bench = Bench::trained(Direction::TextToGloss, None);
    let pairs = corpus();
    let model = TranslatorModel::open(&bench.model()).unwrap();
    assert_eq!(model.manifest.kind, Direction::TextToGloss);
    assert!(!bench.model().join("network-1/checkpoint").exists(), "what was trained needs no checkpoint");

    let input: String = pairs.iter().map(|[sentence, _]| format!("{sentence}\n")).collect();
    let said = bench.lines(&["gloss", "--from", "de"], &input);
    let right = said.iter().zip(&pairs).filter(|(said, [_, gloss])| *said == gloss).count();
    assert!(
        said.len() == pairs.len() && right * 20 >= pairs.len() * 19,
        "{right} of {}: {said:?}",
        pairs.len()
    );
    let figures = &model.manifest.metrics;
    assert!(figures.iter().any(|m| m.name == "bleu4" && m.value > 80.0), "{figures:?}");

    // A line for a line, whatever stands in it: people write in capitals, without a full stop, or nothing.
    let odd =
        format!("\nES GIBT\tREGEN  AM MONTAG\n \u{202e}\n🙂 مرحبا 你好\n{}\n", "am montag ".repeat(200));
    let said = bench.lines(&["gloss"], &odd);
    assert_eq!((said.len(), &said[0][..], &said[2][..]), (5, "", ""), "{said:?}");
    assert_eq!(said[1], "MONTAG REGEN IX");
    assert_eq!(bench.lines(&["gloss"], "es gibt wind am freitag .").len(), 1, "without a last line's end");
    assert_eq!(bench.lines(&["gloss"], ""), [""; 0]);

    bench.refused(&["gloss", "--from", "zh"], b"", "--from \"zh\" is not de");
    bench.refused(&["text"], b"", "translates text into glosses, not glosses into text");
    bench.refused(&["gloss"], b"am tag\n\xff\xfe\n", "line 2");

    let report = bench.run(
        &["evaluate", "translation", "--json", "--data", path(&bench.at("data/text/phoenix14t/dev.tsv"))],
        b"",
    );
    let report: serde_json::Value = serde_json::from_slice(&report.stdout).unwrap();
    let dev = figures.iter().find(|m| m.name == "bleu4").unwrap().value;
    assert_eq!((report["n"].as_u64(), report["model"]["words"]["bleu4"].as_f64()), (Some(20), Some(dev)));
    assert!(report["copy"]["words"]["bleu4"].as_f64() < Some(dev), "the floor is below");

    the_unit_signs_what_the_host_says(&bench);

    let network = bench.model().join(ENCODER);
    let mut bytes = fs::read(&network).unwrap();
    bytes[100] ^= 1;
    fs::write(&network, bytes).unwrap();
    bench.refused(&["gloss"], b"", "was changed");
    let said = tests::refusal(&bench.sign("es gibt regen am montag .", &[]));
    assert!(said.contains("was changed") && said.contains(ENCODER), "{said}");
}

/// The unit translates as the host does, token for token, signs what its lexicon has, and spells the rest.
fn the_unit_signs_what_the_host_says(bench: &Bench) {
    bench.lexicon();
    let texts: Vec<String> = corpus().into_iter().take(12).map(|[sentence, _]| sentence).collect();
    let said = bench.lines(&["gloss"], &(texts.join("\n") + "\n"));
    for (text, expect) in texts.iter().zip(&said) {
        let report = bench.signed(text, &[]);
        assert_eq!(report["glosses"].as_str(), Some(&expect[..]), "{text}");
    }
    let words = |report: &serde_json::Value| -> Vec<String> {
        let of = |w: &serde_json::Value| {
            format!("{} {}", w["text"].as_str().unwrap(), w["provenance"].as_str().unwrap())
        };
        report["words"].as_array().unwrap().iter().map(of).collect()
    };
    let plain = "es gibt regen am montag .";
    assert_eq!(words(&bench.signed(plain, &[])), ["MONTAG translated", "REGEN translated", "IX not-found"]);
    // Names and numbers are nothing that was learnt: whatever the translator makes of them, they are signed.
    let text = "es gibt regen am montag 17 km bei Őq .";
    let report = bench.signed(text, &[]);
    assert_eq!(report["glosses"].as_str(), Some(&bench.lines(&["gloss"], text)[0][..]));
    for part in ["17 number", "Őq spelled"] {
        assert!(words(&report).iter().any(|word| word == part), "{report} lacks {part}");
    }
    let absent = bench.at("absent");
    let output = bench.sign(plain, &["--translator", path(&absent)]);
    assert!(
        output.status.success() && utf8(&output.stderr).contains("no translator"),
        "{}",
        utf8(&output.stderr)
    );
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((report["glosses"].as_str(), words(&report).len()), (None, 5), "word by word");
    let other = bench.sign(plain, &["--language", "ase"]);
    assert!(tests::refusal(&other).contains("gsg"), "{}", utf8(&other.stderr));
}

#[test]
fn glosses_become_sentences() {
    let bench = Bench::trained(Direction::GlossToText, Some(60));
    let pairs = corpus();
    let input: String = pairs.iter().map(|[_, gloss]| format!("{gloss}\n")).collect();
    let said = bench.lines(&["text"], &input);
    let right = said.iter().zip(&pairs).filter(|(said, [sentence, _])| *said == sentence).count();
    assert!(right * 20 >= pairs.len() * 19, "{right} of {}: {said:?}", pairs.len());
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// What is learnt is what the corpus has, so that scores over its words mean what they do elsewhere.
#[test]
fn real_sentences_are_in_their_normal_form_already() {
    let Some(data) = tests::data("real_sentences_are_in_their_normal_form_already") else { return };
    let found = sentences(&data.join("text/phoenix14t/dev.tsv")).unwrap();
    assert_eq!(found.len(), 519);
    let same =
        |s: &&Sentence| text::normal(&s.text) == s.text && text::normal_glosses(&s.glosses) == s.glosses;
    assert_eq!(found.iter().filter(same).count(), 519);
    let chinese = sentences(&data.join("text/ce_csl/dev.csv")).unwrap();
    assert_eq!(chinese.len(), 515);
    let whole = |s: &&Sentence| text::written(&text::normal(&s.text)) == s.text;
    let share = chinese.iter().filter(whole).count() as f64 / 515.0;
    assert!(share > 0.95, "a Chinese sentence is written again as it was: {share}");
}
