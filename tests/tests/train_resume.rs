//! A training that is killed ends, run again, with the bytes of one that was not; and its log.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use host::train::events::{EVENTS, Events};
use models::manifest::{MANIFEST, NETWORK};
use tempfile::TempDir;
use tests::made::{isolated, rows};

const STEPS: usize = 12;

/// A folder with two made-up signs, and another to train in.
struct Bench(TempDir);

impl Bench {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let data = dir.path().join("data/isolated");
        fs::create_dir_all(&data).unwrap();
        let mut index = String::from("gloss\tsplit\toffset_frames\tn_frames\tsigner_id\ttier\n");
        for i in 0..16 {
            let (gloss, split) = (["book", "drink"][i % 2], if i < 12 { "train" } else { "val" });
            index += &format!("{gloss}\t{split}\t{}\t10\t{}\t100\n", 10 * i, i / 4);
        }
        isolated(&data, "wlasl300_hands_trainval", &index, &rows(160, 126));
        let index =
            "offset_frames\tn_frames\tlabel\tgroup\tseq\textra\n0\t10\tyes\ta\t0\t\n10\t10\tno\ta\t0\t\n";
        isolated(&data, "ksl13", index, &rows(20, 258));
        Self(dir)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A recipe of two networks, so that there is a second one to go on with.
    fn command(&self, out: &str, more: &[&str]) -> Command {
        let mut command = Command::new(tests::program("signpost-host"));
        command.args(["train", "wlasl100", "--save-every", "3", "--steps", &STEPS.to_string()]);
        command.arg("--data").arg(self.at("data")).arg("--out").arg(self.at(out)).args(more);
        command
    }

    /// Trains to the end, which must be reached, and gives what was said.
    #[track_caller]
    fn train(&self, out: &str, more: &[&str]) -> String {
        let output = self.command(out, more).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        said
    }

    /// Trains until a file is there, and is killed then.
    #[track_caller]
    fn kill_at(&self, out: &str, file: &Path) {
        let mut run = self.command(out, &[]).stderr(Stdio::null()).spawn().unwrap();
        while !file.is_file() && run.try_wait().unwrap().is_none() {}
        // On Unix this is SIGKILL.
        run.kill().unwrap();
        assert!(!run.wait().unwrap().success() && file.is_file(), "it was killed after {}", file.display());
    }

    fn checkpoint(&self, out: &str, network: usize) -> PathBuf {
        self.at(out).join(format!("network-{network}/checkpoint/state.bin"))
    }
}

#[test]
fn a_killed_training_ends_with_the_bytes_of_one_that_was_not() {
    let bench = Bench::new();
    let said = bench.train("whole", &[]);
    assert!(!said.contains("goes on"), "{said}");

    bench.kill_at("killed", &bench.checkpoint("killed", 1));
    assert!(!bench.at("killed").join(NETWORK).exists());
    bench.kill_at("killed", &bench.checkpoint("killed", 2));
    let said = bench.train("killed", &[]);
    assert_eq!(said.matches("goes on from step").count(), 2, "both networks: {said}");
    assert!(said.contains(&format!("goes on from step {STEPS} of {STEPS}")), "the first was done: {said}");

    for file in [NETWORK, MANIFEST] {
        let [whole, killed] = ["whole", "killed"].map(|out| fs::read(bench.at(out).join(file)).unwrap());
        assert!(whole == killed, "{file} differs");
    }
    for network in ["network-1", "network-2"] {
        let [whole, killed] = ["whole", "killed"].map(|out| {
            let run = bench.at(out).join(network);
            assert_eq!(fs::read_dir(&run).unwrap().count(), 1, "the log alone stays");
            let mut log = scalars(&fs::read(run.join(EVENTS)).unwrap());
            log.retain(|(_, tag, _)| tag != "steps_per_second");
            log
        });
        let steps: Vec<_> = whole.iter().filter(|s| s.1 == "loss").map(|s| s.0).collect();
        assert_eq!(steps, [0, 11]);
        assert_eq!(whole, killed, "the log of {network}");
    }
}

#[test]
fn a_checkpoint_that_does_not_serve_is_refused() {
    let bench = Bench::new();
    let checkpoint = bench.checkpoint("out", 1);
    bench.kill_at("out", &checkpoint);
    let sound = fs::read(&checkpoint).unwrap();
    let mut flipped = sound.clone();
    flipped[sound.len() / 2] ^= 4;
    for (bytes, more, why) in [
        (&flipped[..], ["--seed", "1"], "it is broken"),
        (&sound[..sound.len() - 1], ["--seed", "1"], "it is broken"),
        (b"", ["--seed", "1"], "it is broken"),
        (&sound, ["--seed", "2"], "of another run (seed 1, not seed 2)"),
        (&sound, ["--rate", "0.001"], "of another run (rate 0.003, not rate 0.001)"),
    ] {
        fs::write(&checkpoint, bytes).unwrap();
        let said = refused(&bench.command("out", &more).output().unwrap());
        assert!(said.contains(why) && said.contains("--fresh"), "{said}");
        assert_eq!(fs::read(&checkpoint).unwrap(), bytes, "it stays as it was");
    }
    // Other data of the same shape.
    fs::write(&checkpoint, &sound).unwrap();
    let index = bench.at("data/isolated/ksl13.tsv");
    fs::write(&index, fs::read_to_string(&index).unwrap().replace("10\t10\tno", "9\t10\tno")).unwrap();
    let said = refused(&bench.command("out", &[]).output().unwrap());
    assert!(said.contains("of another run (data "), "{said}");
    let said = bench.train("out", &["--fresh"]);
    assert!(!said.contains("goes on"), "{said}");
}

/// The last line of a run that must fail.
#[track_caller]
fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "it ended by itself");
    String::from_utf8_lossy(&output.stderr).lines().last().unwrap().to_owned()
}

#[test]
fn a_log_is_what_tensorboard_writes() {
    let dir = TempDir::new().unwrap();
    let golden = fs::read("parity/tensorboard/scalars.tfevents").unwrap();
    let mut log = Events::create(dir.path(), 1_700_000_000.5).unwrap();
    log.append(1_700_000_001.25, 0, &[("loss", 5.5), ("rate", 6e-5)]).unwrap();
    let (early, file) = (log.length(), dir.path().join(EVENTS));
    log.append(1_700_000_009.0, 7, &[("loss", 9.0)]).unwrap();

    // What is written after a cut stands in place of what was cut off.
    assert!(Events::cut(dir.path(), 10 * early).unwrap().is_none(), "it is not so long");
    assert!(Events::cut(&dir.path().join("absent"), 0).unwrap().is_none());
    let mut log = Events::cut(dir.path(), early).unwrap().unwrap();
    let ctc = [("loss", 4.75), ("rate", 1.26e-3), ("ctc", -0.5), ("steps_per_second", 16.0)];
    log.append(1_700_000_002.5, 20, &ctc).unwrap();
    log.append(1_700_000_003.0, 300, &[("loss", f32::NAN)]).unwrap();
    log.append(1_700_000_004.0, 5_000_000_000, &[("loss", 0.0)]).unwrap();
    let written = fs::read(&file).unwrap();
    assert_eq!((written.len() as u64, written), (log.length(), golden.clone()));

    let read = scalars(&golden);
    assert_eq!(read.len(), 8);
    assert_eq!(read[4], (20, "ctc".into(), (-0.5_f32).to_bits()));
    assert_eq!(read[7], (5_000_000_000, "loss".into(), 0));
}

/// The scalars of an event file in their order: step, tag, and the bits of the value. Every checksum is checked.
#[track_caller]
fn scalars(mut bytes: &[u8]) -> Vec<(u64, String, u32)> {
    let mut out = vec![];
    while !bytes.is_empty() {
        let (head, rest) = bytes.split_at(12);
        let (event, rest) = rest.split_at(u64::from_le_bytes(head[..8].try_into().unwrap()) as usize);
        let (sum, rest) = rest.split_at(4);
        assert_eq!(
            (crc(&head[..8]).to_le_bytes(), crc(event).to_le_bytes()),
            (head[8..].try_into().unwrap(), sum.try_into().unwrap())
        );
        bytes = rest;
        let event = fields(event);
        let step = event.iter().find_map(|(n, f)| (*n == 2).then(|| varint(&mut &f[..]))).unwrap_or(0);
        for (_, summary) in event.iter().filter(|(n, _)| *n == 5) {
            for (_, value) in fields(summary) {
                let value = fields(&value);
                let tag = String::from_utf8(value[0].1.clone()).unwrap();
                out.push((step, tag, u32::from_le_bytes(value[1].1[..].try_into().unwrap())));
            }
        }
    }
    out
}

/// The fields of a message of protocol buffers: number and bytes.
fn fields(mut bytes: &[u8]) -> Vec<(u64, Vec<u8>)> {
    let mut out = vec![];
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let length = match key % 8 {
            0 => bytes.iter().position(|b| b & 0x80 == 0).unwrap() + 1,
            1 => 8,
            5 => 4,
            _ => varint(&mut bytes) as usize,
        };
        let (field, rest) = bytes.split_at(length);
        out.push((key / 8, field.to_vec()));
        bytes = rest;
    }
    out
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let length = bytes.iter().position(|b| b & 0x80 == 0).unwrap() + 1;
    let (own, rest) = bytes.split_at(length);
    *bytes = rest;
    own.iter().rev().fold(0, |n, b| n << 7 | u64::from(b & 0x7f))
}

/// The masked CRC-32C of a TFRecord, by long division from the highest bit of the mirrored bytes on.
fn crc(bytes: &[u8]) -> u32 {
    let sum = bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(byte.reverse_bits()) << 24, |c, _| {
            if c >> 31 == 1 { c << 1 ^ 0x1edc_6f41 } else { c << 1 }
        })
    });
    let sum = !sum.reverse_bits();
    sum.rotate_right(15).wrapping_add(0xa282_ead8)
}
