//! The language model beside `transformers` and `peft`, and quantized beside llama.cpp's `gguf`: see
//! `tests/parity/qwen/make.py` and `blocks.py`, which made what is expected here.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use host::aurallm::{Adapter, Bits, Cpu, Decoding, Language, Matrix, PROJECTIONS, Qwen, generate, quantize};
use models::manifest::sha256;
use serde::Deserialize;
use tempfile::TempDir;

/// The largest difference of two logits that rounding explains.
const ROUNDING: f32 = 1e-4;

#[derive(Deserialize)]
struct Said {
    texts: Vec<Cut>,
    tied: Network,
    untied: Network,
    adapted: Network,
}

#[derive(Deserialize)]
struct Cut {
    text: String,
    ids: Vec<u32>,
    back: String,
}

#[derive(Deserialize)]
struct Network {
    ids: Vec<u32>,
    logits: Vec<Vec<f32>>,
    #[serde(default)]
    greedy: Vec<u32>,
}

/// What is expected of quantized weights.
#[derive(Deserialize)]
struct Rounded {
    ids: Vec<u32>,
    whole: Vec<Vec<f32>>,
    #[serde(rename = "8")]
    eight: Kept,
    #[serde(rename = "4")]
    four: Kept,
}

#[derive(Deserialize)]
struct Kept {
    /// Of each matrix's blocks.
    sha256: BTreeMap<String, String>,
    logits: Vec<Vec<f32>>,
}

fn parity() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("parity/qwen")
}

fn said() -> Said {
    serde_json::from_slice(&fs::read(parity().join("said.json")).unwrap()).unwrap()
}

/// A folder as models are published: the network's files and the tokenizer beside them.
fn folder(network: &str) -> TempDir {
    let dir = TempDir::new().unwrap();
    for entry in fs::read_dir(parity().join(network)).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, dir.path().join(path.file_name().unwrap())).unwrap();
    }
    fs::copy(parity().join("tokenizer.json"), dir.path().join("tokenizer.json")).unwrap();
    dir
}

fn open(network: &str) -> Language<Cpu> {
    Language::open(folder(network).path(), &Default::default()).unwrap()
}

/// Logits of all tokens, read in turns of so many.
fn logits(net: &Qwen<Cpu>, ids: &[u32], turn: usize) -> Vec<Vec<f32>> {
    let mut cache = vec![];
    let mut rows = vec![];
    for ids in ids.chunks(turn) {
        rows.extend(net.logits(&[ids.to_vec()], &mut cache));
    }
    rows
}

fn far(a: &[Vec<f32>], b: &[Vec<f32>]) -> f32 {
    assert_eq!(a.len(), b.len());
    let pairs = a.iter().zip(b).flat_map(|(a, b)| {
        assert_eq!(a.len(), b.len());
        a.iter().zip(b)
    });
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[track_caller]
fn check_network(name: &str, expect: &Network) {
    let Language { net, config, .. } = open(name);
    // All at once, token by token with what is kept, and in uneven turns.
    for turn in [expect.ids.len(), 1, 5] {
        let found = far(&logits(&net, &expect.ids, turn), &expect.logits);
        assert!(found < ROUNDING, "{name} in turns of {turn}: {found}");
    }
    let greedy = generate(&net, &expect.ids, config.ends(), 8, Decoding::Greedy);
    let until_end: Vec<u32> =
        expect.greedy.iter().copied().take_while(|t| !config.ends().contains(t)).collect();
    assert_eq!(greedy, until_end, "{name}");
    let one = Decoding::Beam { beam: 1, penalty: 0.0 };
    assert_eq!(generate(&net, &expect.ids, config.ends(), 8, one), greedy, "a beam of one is greedy");
}

#[test]
fn logits_are_those_of_transformers() {
    let said = said();
    check_network("tied", &said.tied);
    check_network("untied", &said.untied);
}

#[test]
fn texts_are_cut_as_they_are_in_python() {
    let language = open("tied");
    for Cut { text, ids, back } in said().texts {
        assert_eq!(language.tokens(&text).unwrap(), ids, "{text:?}");
        assert_eq!(language.text(&ids, false).unwrap(), back);
    }
    let odd = "👍🏽\u{202e}مرحبا\u{0} 你好 ".repeat(2_000);
    let ids = language.tokens(&odd).unwrap();
    assert_eq!(language.text(&ids, false).unwrap(), odd, "nothing is lost");
}

#[test]
fn an_adapter_is_that_of_peft_merged_or_not_and_written_again() {
    let said = said();
    let mut language = open("tied");
    let adapter = language.adapt(&parity().join("adapter"), &Default::default()).unwrap();
    let adapted = logits(&language.net, &said.adapted.ids, 12);
    assert!(far(&adapted, &said.adapted.logits) < ROUNDING, "{}", far(&adapted, &said.adapted.logits));
    assert!(far(&adapted, &said.tied.logits) > 0.1, "the adapter changes something");

    let written = TempDir::new().unwrap();
    adapter.save(&language.net, written.path()).unwrap();
    let mut again = open("tied");
    assert_eq!(again.adapt(written.path(), &Default::default()).unwrap(), adapter);
    assert_eq!(logits(&again.net, &said.adapted.ids, 12), adapted, "it is written whole");

    let merged = language.net.merged();
    assert!(merged.layers.iter().flat_map(|l| &l.projections).all(|p| p.lora.is_none()));
    assert!(far(&logits(&merged, &said.adapted.ids, 12), &adapted) < ROUNDING);

    let mut begun = open("tied").net;
    Adapter::new(4, &["q_proj", "o_proj"]).begin(&mut begun, &Default::default()).unwrap();
    assert!(far(&logits(&begun, &said.tied.ids, 12), &said.tied.logits) < ROUNDING, "nothing is learnt yet");
}

#[track_caller]
fn check_quantized(bits: Bits, ids: &[u32], expect: &Kept) {
    let (whole, rounded) = (folder("blocks"), TempDir::new().unwrap());
    quantize(whole.path(), bits, rounded.path()).unwrap();
    let Language { net, .. } = Language::<Cpu>::open(rounded.path(), &Default::default()).unwrap();
    let mut hashes = BTreeMap::new();
    let mut hash = |name: String, matrix: &Matrix<Cpu>| {
        let Matrix::Quantized(quantized) = matrix else { panic!("{name} is whole") };
        hashes.insert(name, sha256(quantized.blocks().bytes()));
    };
    hash("model.embed_tokens.weight".into(), &net.embed);
    for (l, layer) in net.layers.iter().enumerate() {
        for (i, projection) in layer.projections.iter().enumerate() {
            let part = if i < 4 { "self_attn" } else { "mlp" };
            hash(format!("model.layers.{l}.{part}.{}.weight", PROJECTIONS[i]), &projection.matrix);
        }
    }
    assert_eq!(hashes, expect.sha256, "{bits:?}: the blocks are those of llama.cpp");
    // All at once the matrices are made whole again, token by token they are not.
    let all = net.logits(&[ids.to_vec(), ids.to_vec()], &mut vec![]);
    for found in [&all[..ids.len()], &all[ids.len()..], &logits(&net, ids, 1)] {
        assert!(far(found, &expect.logits) < ROUNDING, "{bits:?}: {}", far(found, &expect.logits));
    }
    let refused = |out: &Path| quantize(rounded.path(), bits, out).unwrap_err().to_string();
    let said = refused(rounded.path());
    assert!(said.contains("quantized already"), "{said}");
    let said = refused(whole.path());
    assert!(said.contains("--out") && said.contains("model.safetensors stands there"), "{said}");
}

#[test]
fn quantized_weights_are_those_of_llama_cpp_and_say_what_transformers_says() {
    let expect: Rounded = serde_json::from_slice(&fs::read(parity().join("blocks.json")).unwrap()).unwrap();
    let whole = logits(&open("blocks").net, &expect.ids, 6);
    assert!(far(&whole, &expect.whole) < ROUNDING);
    check_quantized(Bits::Eight, &expect.ids, &expect.eight);
    check_quantized(Bits::Four, &expect.ids, &expect.four);
    let out = TempDir::new().unwrap();
    let refused = quantize(folder("tied").path(), Bits::Eight, out.path()).unwrap_err().to_string();
    assert!(refused.contains("down_proj") && refused.contains("rows of 48"), "{refused}");
    assert_eq!(fs::read_dir(out.path()).unwrap().count(), 0, "nothing is left half-written");
}

#[test]
fn a_wide_beam_finds_a_likelier_text_than_the_greedy_one() {
    let Language { net, config, .. } = open("untied");
    let prompt = &said().untied.ids;
    // The logarithm of the probability of a text of so many tokens, which nothing ends.
    let log_prob = |said: &[u32]| {
        let rows = logits(&net, &[prompt, said].concat(), 64);
        let each = rows[prompt.len() - 1..].iter().zip(said).map(|(row, token)| {
            let sum = row.iter().map(|v| f64::from(*v).exp()).sum::<f64>().ln();
            f64::from(row[*token as usize]) - sum
        });
        each.sum::<f64>()
    };
    let ends: [u32; 0] = [];
    let greedy = generate(&net, prompt, &ends, 4, Decoding::Greedy);
    let all = (0..config.vocab_size as u32).map(|t| log_prob(&[t])).fold(f64::NEG_INFINITY, f64::max);
    assert!((all - log_prob(&greedy[..1])).abs() < 1e-9, "greedy begins with the likeliest of all");
    let beamed = generate(&net, prompt, config.ends(), 4, Decoding::Beam { beam: 6, penalty: 0.0 });
    let sampled = |seed| {
        let how = Decoding::Sampled { temperature: 1.0, top_k: 40, top_p: 0.9, seed };
        generate(&net, prompt, &ends, 6, how)
    };
    assert_eq!(sampled(1), sampled(1), "chance follows from the seed");
    assert!((2..9).any(|seed| sampled(seed) != sampled(1)));
    assert!(beamed.len() <= 4);
}

/// What is said of a folder in which a file was changed.
#[track_caller]
fn check_refused(file: &str, change: impl FnOnce(Vec<u8>) -> Option<Vec<u8>>, expect: &str) {
    let dir = folder("untied");
    let path = dir.path().join(file);
    match change(fs::read(&path).unwrap()) {
        Some(bytes) => fs::write(&path, bytes).unwrap(),
        None => fs::remove_file(&path).unwrap(),
    }
    let Err(refused) = Language::<Cpu>::open(dir.path(), &Default::default()) else {
        panic!("{file}: no error")
    };
    let refused = refused.to_string();
    assert!(refused.contains(expect) && refused.contains("give a folder with"), "{refused}");
}

#[test]
fn a_folder_that_is_not_whole_is_refused() {
    let replaced = |from: &'static str, to: &'static str| {
        move |bytes: Vec<u8>| Some(String::from_utf8(bytes).unwrap().replace(from, to).into_bytes())
    };
    for file in ["config.json", "model.safetensors", "tokenizer.json"] {
        check_refused(file, |_| None, file);
        check_refused(file, |bytes| Some(bytes[..bytes.len() / 2].to_vec()), file);
    }
    check_refused(
        "config.json",
        replaced("\"vocab_size\": 320", "\"vocab_size\": 300"),
        "it knows 320 tokens",
    );
    check_refused(
        "config.json",
        replaced("\"vocab_size\": 320", "\"vocab_size\": 321"),
        "embed_tokens.weight is",
    );
    check_refused(
        "config.json",
        replaced("\"num_hidden_layers\": 3", "\"num_hidden_layers\": 4"),
        "is missing",
    );
    check_refused(
        "config.json",
        replaced("\"num_hidden_layers\": 3", "\"num_hidden_layers\": 2"),
        "is none of a",
    );
    check_refused(
        "model.safetensors",
        |mut bytes| {
            // The last number of the last tensor, in 16 bits, is made none.
            let last = bytes.len() - 2;
            bytes[last..].copy_from_slice(&[0xc0, 0x7f]);
            Some(bytes)
        },
        "no numbers",
    );
}

#[test]
fn an_adapter_is_trained_and_asked_with_the_signs_of_a_lexicon() {
    let model = folder("blocks");
    // A prompt of this tokenizer, which knows few words, is long.
    let config = fs::read_to_string(model.path().join("config.json")).unwrap();
    let longer = config.replace("\"max_position_embeddings\": 128", "\"max_position_embeddings\": 512");
    assert_ne!(config, longer);
    fs::write(model.path().join("config.json"), longer).unwrap();
    let at = |name: &str| model.path().join(name).to_str().unwrap().to_owned();
    let (data, lexicon, adapter) = (at("pairs.json"), at("lexicon"), at("adapter"));
    let pairs = r#"[{"text": "wind im norden", "gloss": "NORD WIND"}, {"text": "wind", "gloss": "WIND"}]"#;
    fs::write(&data, pairs).unwrap();
    fs::create_dir(&lexicon).unwrap();
    let index =
        "path,spoken_language,signed_language,words,glosses\na.pose,de,gsg,,NORDEN\na.pose,de,gsg,,WIND\n";
    fs::write(Path::new(&lexicon).join("index.csv"), index).unwrap();

    let train =
        ["adapt", "--model", &at(""), "--data", &data, "--out", &adapter, "--spoken", "de", "--signed"];
    let how =
        ["gsg", "--lexicon", &lexicon, "--rank", "16", "--batch", "2", "--epochs", "200", "--rate", "0.01"];
    let host = |args: &[&str], input: &str| tests::run_on("signpost-host", args, input.as_bytes());
    let trained = host(&[&train[..], &how[..]].concat(), "");
    assert!(trained.status.success(), "{}", String::from_utf8_lossy(&trained.stderr));
    let instruction = fs::read_to_string(Path::new(&adapter).join("instruction.json")).unwrap();
    assert!(instruction.contains("\"candidates\": true"), "{instruction}");

    let gloss = ["gloss", "--model", &at(""), "--adapter", &adapter, "--lexicon"];
    let said = host(&[&gloss[..], &[&lexicon]].concat(), "wind\n\nwind im norden\n");
    assert_eq!(String::from_utf8_lossy(&said.stdout), "WIND\n\nNORD WIND\n");

    let raw = at("raw");
    let barely = ["gsg", "--lexicon", &lexicon, "--rank", "16", "--epochs", "1", "--rate", "0.000001"];
    let train_raw = train.map(|arg| if arg == adapter { &raw } else { arg });
    assert!(host(&[&train_raw[..], &barely[..]].concat(), "").status.success());
    let said = host(
        &["gloss", "--model", &at(""), "--adapter", &raw, "--lexicon", &lexicon],
        "wind\n\nwind im norden\n",
    );
    assert_eq!(String::from_utf8_lossy(&said.stdout), "\n\n\n", "who never comes to an end says nothing");
    let warned = String::from_utf8_lossy(&said.stderr).into_owned();
    assert_eq!(warned.matches("came to no end").count(), 2, "{warned}");

    let small = at("small");
    let quantized = host(&["quantize", "--model", &at(""), "--out", &small], "");
    assert!(quantized.status.success(), "{}", String::from_utf8_lossy(&quantized.stderr));
    let asked = ["gloss", "--model", &small, "--adapter", &adapter, "--lexicon", &lexicon];
    let said = host(&asked, "wind im norden\nwind\n");
    assert_eq!(String::from_utf8_lossy(&said.stdout), "NORD WIND\nWIND\n", "eight bits say the same");

    let refused = |args: &[&str]| {
        let output = host(args, "wind\n");
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let said = refused(&gloss[..5]);
    assert!(said.contains("give it one with --lexicon"), "{said}");
    let said = refused(&["gloss", "--model", &at(""), "--lexicon", &lexicon]);
    assert!(said.contains("--adapter FOLDER"), "{said}");
    let on_quantized =
        train.map(|arg| if arg == at("") { &small } else { arg }).into_iter().chain(how).collect::<Vec<_>>();
    let said = refused(&on_quantized);
    assert!(said.contains("train the adapter on the model"), "{said}");
    let said = refused(&[&train[..], &how[..], &["--to-text"]].concat());
    assert!(said.contains("--to-text"), "{said}");
}
