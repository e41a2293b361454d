//! What a sentence costs on its way to glosses: the lookup chain, retrieval, and the translator.
//!
//! `cargo xtask bench chain [--sentences 2000] [--translator FOLDER --text FILE] [--embedder FILE] [--engine NAME]`.
//! The lexicon has ten thousand made-up entries, and sentences are made of its words, other forms of them, words put
//! together from them, and words that it lacks. FILE has a sentence a line. One engine runs in a process, so
//! that its memory can be told.

#![allow(clippy::unwrap_used, reason = "a bench may stop where something is missing")]

use std::fmt::Write;
use std::path::Path;

use edge::engine::Backend;
use edge::production::{Dictionary, Translator};
use models::lexicon::Lexicon;
use models::retrieval::{Embed, Index, Subword, SubwordManifest};
use tests::bench::{Times, args, noise, peak_mib};
use tests::fuzz::Random;

/// Entries of the lexicon.
const ENTRIES: usize = 10_000;
/// Values of a vector.
const WIDTH: usize = 256;
/// Words of a sentence.
const WORDS: usize = 12;

fn main() {
    let args = args(&["sentences", "translator", "text", "embedder", "engine"]);
    let count: usize = args.get("sentences").map_or(2_000, |v| v.parse().expect("a number"));
    let backend: Backend = args.get("engine").map_or("onnxruntime", String::as_str).parse().unwrap();
    let before = peak_mib(std::process::id()).unwrap();
    Times::head();

    let words: Vec<String> = (0..ENTRIES).map(word).collect();
    let plain = Dictionary::new(vec![lexicon(&words)], "gsg", Some("de")).unwrap();
    let sentences = sentences(&words, count);
    time("lookup chain", &sentences, |sentence| {
        plain.plan(sentence).unwrap();
    });

    if let Some(folder) = args.get("translator") {
        let mut translator = Translator::open(Path::new(folder), &[backend], 1).unwrap();
        let text = std::fs::read_to_string(args.get("text").expect("give --text FILE")).unwrap();
        let lines: Vec<String> = text.lines().take(count).map(str::to_owned).collect();
        // Warm: the first sentences pay for what every later one finds.
        lines.iter().take(10).for_each(|line| drop(translator.translate(line).unwrap()));
        time(&format!("translator on {backend}"), &lines, |line| {
            translator.translate(line).unwrap();
        });
    }
    let held = peak_mib(std::process::id()).unwrap();
    let embedder = match args.get("embedder") {
        Some(file) => Subword::read(Path::new(file)).unwrap(),
        None => made_up(&words),
    };
    let mut index = Index::new(embedder.width());
    for word in &words {
        if let Some(row) = embedder.sign(word, "") {
            index.push(&row);
        }
    }
    let queries: Vec<String> = (ENTRIES..ENTRIES + count).map(word).collect();
    time(&format!("retrieval among {} entries", index.len()), &queries, |word| {
        if let Some(query) = embedder.word(word) {
            std::hint::black_box(index.nearest(&query));
        }
    });
    drop(index);
    let dictionary = plain.with_embed(Box::new(embedder));
    time("lookup chain with retrieval", &sentences, |sentence| {
        dictionary.plan(sentence).unwrap();
    });

    let after = peak_mib(std::process::id()).unwrap();
    println!("memory at its highest: {before} MiB before, {held} MiB without retrieval, {after} MiB with it");
}

/// Times a part on each of some texts and prints its row.
fn time(part: &str, texts: &[String], mut run: impl FnMut(&str)) {
    let mut times = Times::new();
    texts.iter().for_each(|text| times.of(|| run(text)));
    times.print(part);
}

/// A made-up word for each number, of two to four syllables.
fn word(number: usize) -> String {
    const FIRST: [&str; 12] = ["b", "d", "f", "g", "h", "k", "l", "m", "n", "r", "s", "w"];
    const VOWELS: [&str; 6] = ["a", "e", "i", "o", "u", "ü"];
    let (mut left, mut word) = (number + 72, String::new());
    while left > 0 {
        let syllable = left % 72;
        write!(word, "{}{}", FIRST[syllable % 12], VOWELS[syllable / 12]).unwrap();
        left /= 72;
    }
    word + "rt"
}

/// A lexicon of these words; no clip of it is read.
fn lexicon(words: &[String]) -> Lexicon {
    let folder = std::env::temp_dir().join(format!("signpost-bench-chain-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut index = "path,spoken_language,signed_language,words,glosses\n".to_owned();
    for (i, word) in words.iter().enumerate() {
        writeln!(index, "{i}.pose,de,gsg,{word},{}", word.to_uppercase()).unwrap();
    }
    for letter in "abcdefghijklmnopqrstuvwxyzü".chars() {
        writeln!(index, "{letter}.pose,de,gsg,{letter},{letter}").unwrap();
    }
    std::fs::write(folder.join("index.csv"), index).unwrap();
    let lexicon = Lexicon::open(&folder).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    lexicon
}

/// Sentences of words that are known, inflected, put together, or unknown, with a number in every third.
fn sentences(words: &[String], count: usize) -> Vec<String> {
    let mut random = Random(7);
    let mut one = |_| {
        let known = random.below(words.len());
        let other = random.below(words.len());
        match random.below(36) {
            0..22 => words[known].clone(),
            22..26 => format!("{}es", words[known]),
            26..30 => format!("{}{}", words[known], words[other]),
            30 => "12,50 €".to_owned(),
            _ => word(words.len() + other),
        }
    };
    (0..count).map(|_| (0..WORDS).map(&mut one).collect::<Vec<_>>().join(" ") + ".").collect()
}

/// An embedder of made-up vectors, as large as one of a whole lexicon.
fn made_up(words: &[String]) -> Subword {
    let buckets = 16_384;
    let manifest = SubwordManifest {
        name: "made-up".into(),
        spoken: "de".into(),
        signed: "gsg".into(),
        width: WIDTH,
        buckets,
        threshold: 1.0,
        words: vec![],
        labels: words.to_vec(),
        data: vec![],
        metrics: vec![],
        recipe: "none".into(),
    };
    let values = noise((words.len() + buckets) * WIDTH).into_iter().map(|v| v - 0.5);
    Subword::new(manifest, values).unwrap()
}
