//! What a signed sentence costs: lexicon, pose track, first frame, frames, and the program as a whole.
//!
//! `cargo xtask bench production --lexicon FOLDER --spoken CODE --signed CODE --words "a b c" [--rounds 40]
//! [--peer PYTHON] [--minutes 10]`. Each round signs a sentence of eleven of the words, in another order each time; PYTHON is an
//! interpreter that has `spoken-to-signed` 0.4.0, which signs the same sentence from the same lexicon in turn. Frames are
//! drawn at 1280 × 800. A file of ten thousand signs is made of the lexicon's clips, again and again, and opened. With
//! `--minutes` sentences are also signed one after the other at 60 frames a second for so long, and frames that were late
//! are counted.

#![allow(clippy::unwrap_used, reason = "a bench may stop where something is missing")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::{Duration, Instant};

use edge::production::{Dictionary, Manner, Production, open_lexicons};
use edge::screen::playback::Playback;
use edge::screen::{Screen, Theme};
use models::lexicon::Builder;
use models::lexicon::Lexicon;
use models::playback::normalise;
use tests::bench::{Peer, Times, args, peak_mib};
use tests::fuzz::Random;

/// Signs of a sentence.
const SIGNS: usize = 11;
/// Signs of the large lexicon.
const LARGE: usize = 10_000;
/// Frames of a clip of it.
const CLIP: usize = 10;
const SIZE: (u32, u32) = (1280, 800);
/// Frames a second, of playing for minutes.
const RATE: u32 = 60;

fn main() {
    let args = args(&["lexicon", "spoken", "signed", "words", "rounds", "peer", "minutes"]);
    let given = |name: &str| args.get(name).unwrap_or_else(|| panic!("give --{name}")).as_str();
    let rounds: usize = args.get("rounds").map_or(40, |v| v.parse().expect("a number"));
    let (folder, spoken, signed) = (Path::new(given("lexicon")), given("spoken"), given("signed"));
    let words: Vec<&str> = given("words").split_whitespace().collect();
    let sentences = sentences(&words, rounds);
    let mut peer =
        args.get("peer").map(|python| SpokenToSigned::start(python, folder, spoken, signed, &sentences[0]));

    Times::head();
    let dictionary = || Dictionary::new(open_lexicons(&[folder]).unwrap(), signed, Some(spoken)).unwrap();
    let mut production = Production::new(dictionary());
    let manner = Manner::at(30.0);
    let mut screen = Screen::new(SIZE.0, SIZE.1, Theme::DARK);
    let _ = production.sign(&sentences[0], manner).unwrap();
    let mut times = [const { Times::new() }; 4];
    let mut seconds = [0.0, 0.0];
    for sentence in &sentences {
        let signing = times[0].of(|| production.sign(sentence, manner).unwrap());
        seconds[0] += f64::from(signing.track.duration_s());
        times[1].of(|| {
            let signing = production.sign(sentence, manner).unwrap();
            Playback::new(&signing).draw(&mut screen, 0);
        });
        let playback = Playback::new(&signing);
        for frame in 0..playback.len() {
            times[2].of(|| playback.draw(&mut screen, frame));
        }
        if let Some(peer) = &mut peer {
            seconds[1] += peer.sign(sentence, &mut times[3]);
        }
    }
    times[0].print("text to pose track");
    times[1].print("text to first frame");
    times[2].print("frame at 1280 × 800");
    if let Some(peer) = &peer {
        times[3].print(&format!("spoken-to-signed {}, text to pose", peer.version));
    }

    // Before the large lexicon is made, which is no part of the product.
    let with_pictures_mib = peak_mib(std::process::id()).unwrap();
    let large = large(folder, signed, spoken);
    let mut opened = Times::new();
    (0..50).for_each(|_| drop(opened.of(|| Lexicon::open(&large).unwrap())));
    opened.print(&format!("opening {LARGE} signs, {} MiB", std::fs::metadata(&large).unwrap().len() >> 20));
    std::fs::remove_file(&large).unwrap();

    let mut started = Times::new();
    let mut most_mib = 0;
    for sentence in sentences.iter().take(20) {
        let mut command = Command::new(tests::program("signpost"));
        command.args(["sign", sentence, "--language", signed, "--spoken", spoken, "--json", "--lexicon"]);
        let mut child = command.arg(folder).stdout(Stdio::piped()).spawn().unwrap();
        let line = started.of(|| {
            let mut line = String::new();
            BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
            line
        });
        assert!(line.starts_with('{'), "{line}");
        most_mib = most_mib.max(peak_mib(child.id()).unwrap_or(0));
        child.wait().unwrap();
    }
    started.print("start of `signpost sign --json` to its answer");
    let mut shown = Times::new();
    for sentence in sentences.iter().take(20) {
        let out = tempfile::tempdir().unwrap();
        let mut command = Command::new(tests::program("signpost"));
        command.args(["sign", sentence, "--language", signed, "--spoken", spoken, "--size", "1280x800"]);
        command.arg("--lexicon").arg(folder).arg("--out").arg(out.path()).stdout(Stdio::null());
        let mut child = shown.of(|| {
            let child = command.spawn().unwrap();
            // A picture has its name when it is whole.
            while !tests::files(out.path(), "png").iter().any(|path| path.exists()) {
                std::thread::sleep(Duration::from_millis(1));
            }
            child
        });
        child.kill().unwrap();
        child.wait().unwrap();
    }
    shown.print("start of `signpost sign` to its first picture, written as PNG");
    println!("\nsigning of a sentence: {:.2} s", seconds[0] / rounds as f64);
    println!("memory at its highest: {with_pictures_mib} MiB with pictures");
    if most_mib > 0 {
        println!("memory of `signpost sign --json`: {most_mib} MiB");
    }
    if let Some(peer) = &peer {
        let (signing, start_s) = (seconds[1] / rounds as f64, peer.start_s);
        println!(
            "spoken-to-signed: {signing:.2} s of signing, ready {start_s:.2} s after its start, {:.0} MiB",
            peer.peak_mib
        );
    }
    if let Some(minutes) = args.get("minutes") {
        let frames = (minutes.parse::<f64>().expect("a number") * 60.0) as u32 * RATE;
        steady(&mut production, &sentences, &mut screen, frames);
    }
}

/// Plays sentences one after the other, so many frames, while the next one is made beside it, as on the unit.
fn steady(production: &mut Production, sentences: &[String], screen: &mut Screen, frames: u32) {
    let (send, signings) = sync_channel(1);
    let period = Duration::from_secs(1) / RATE;
    thread::scope(|scope| {
        scope.spawn(move || {
            let manner = Manner::at(RATE as f32);
            sentences.iter().cycle().try_for_each(|s| send.send(production.sign(s, manner).unwrap()).ok())
        });
        let (mut number, mut late, mut latest) = (0, 0, Duration::ZERO);
        let mut signing = signings.recv().unwrap();
        let begun = Instant::now();
        while number < frames {
            let playback = Playback::new(&signing);
            for frame in 0..playback.len() {
                let due = begun + period * number;
                thread::sleep(due.saturating_duration_since(Instant::now()));
                playback.draw(screen, frame);
                // It has to be there when the next one is due.
                let after = Instant::now().saturating_duration_since(due + period);
                late += u32::from(!after.is_zero());
                latest = latest.max(after);
                number += 1;
            }
            signing = signings.recv().unwrap();
        }
        drop(signings);
        println!(
            "{number} frames at {RATE} a second in {:.1} s: {late} late, at most by {:.1} ms",
            begun.elapsed().as_secs_f64(),
            latest.as_secs_f64() * 1e3
        );
    });
}

/// Sentences of words in changing order.
fn sentences(words: &[&str], count: usize) -> Vec<String> {
    let mut random = Random(11);
    let mut one = || {
        let mut sentence: Vec<&str> = vec![];
        while sentence.len() < SIGNS {
            sentence.push(words[random.below(words.len())]);
        }
        sentence.join(" ")
    };
    (0..count).map(|_| one()).collect()
}

/// A file of many signs: the clips of a lexicon, each many times under another name.
fn large(folder: &Path, signed: &str, spoken: &str) -> std::path::PathBuf {
    let path = std::env::temp_dir().join(format!("signpost-bench-{}.lexicon", std::process::id()));
    let lexicon = Lexicon::open(folder).unwrap();
    let entries: Vec<_> = lexicon.entries(signed).filter(|e| e.spoken_language == spoken).collect();
    let clips: Vec<Vec<_>> = entries
        .iter()
        .map(|entry| {
            let frames = normalise(&lexicon.clip(entry).unwrap()).expect("a hand is seen in every clip");
            // Opening reads no clip: how long they are tells only how large the file is.
            frames[..frames.len().min(CLIP)].to_vec()
        })
        .collect();
    let mut builder = Builder::new(25.0);
    for number in 0..LARGE {
        let mut entry = entries[number % entries.len()].clone();
        (entry.words, entry.glosses) = (format!("wort{number}"), format!("WORT{number}"));
        builder.add(&entry, &clips[number % clips.len()]).unwrap();
    }
    builder.write(&path).unwrap();
    path
}

/// `spoken-to-signed` in a process of its own.
struct SpokenToSigned {
    peer: Peer,
    version: String,
    start_s: f64,
    peak_mib: f64,
}

impl SpokenToSigned {
    fn start(python: &str, lexicon: &Path, spoken: &str, signed: &str, first: &str) -> Self {
        let mut command = Command::new(python);
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/benches/production.py")).arg(lexicon);
        let mut peer = Peer::start(command.args([spoken, signed]), "spoken_to_signed");
        let hello = peer.ask(first);
        let (version, start_s) = hello.split_once(' ').expect("it says its version and when it was ready");
        peer.answer();
        Self { peer, version: version.into(), start_s: start_s.parse().unwrap(), peak_mib: 0.0 }
    }

    /// Signs a sentence; gives the seconds of signing.
    fn sign(&mut self, sentence: &str, times: &mut Times) -> f64 {
        let answer = self.peer.ask(sentence);
        let answer: Vec<f64> = answer.split(' ').map(|v| v.parse().unwrap()).collect();
        let [took_s, worked_s, signing_s, peak] = answer[..] else { panic!("{answer:?}") };
        times.add(took_s, worked_s);
        self.peak_mib = peak;
        signing_s
    }
}
