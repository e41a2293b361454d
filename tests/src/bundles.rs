//! Bundles for tests: small ones that are well made, and ones that are put together by hand.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::Path;

use models::bundle::sign::SigningKey;
use models::bundle::write::{Recipe, Source, make};
use models::bundle::{Base, Bundle, FORMAT, Keys, MAGIC, NoBase, Version};

use crate::fuzz::Random;

/// The key that the tests' units trust.
pub fn key() -> SigningKey {
    SigningKey::new(*b"signpost", [7; 32])
}

/// The tests' units trust this.
///
/// # Panics
/// Never: the key is one.
pub fn keys() -> Keys {
    Keys::parse(&key().public()).expect("it is a public key")
}

/// The files of a version: names, bytes, and whether they are programs.
pub type Files = BTreeMap<String, (Vec<u8>, bool)>;

/// The files of one version. Some are the same in all, some differ a little, some are only here.
pub fn files(number: u32) -> Files {
    let noise = |seed: u64, length: usize| {
        let mut random = Random(seed);
        (0..length).map(|_| random.below(256) as u8).collect::<Vec<u8>>()
    };
    let mut program = noise(1, 70_000);
    program[1000..1040].copy_from_slice(&noise(u64::from(number), 40));
    let text = |text: String| (text.into_bytes(), false);
    let files = [
        ("bin/signpost", (program, true)),
        ("weights/asl/model.onnx", (noise(2, 1500), false)),
        ("weights/asl/manifest.json", text(format!("{{\"number\":{number}}}"))),
        ("lexicon/index.csv", text("path,gloss\n".repeat(number as usize))),
        (["lexicon/ase/a.pose", "lexicon/ase/b.pose"][number as usize % 2], (noise(3, 600), false)),
    ];
    files.into_iter().map(|(name, file)| (name.to_string(), file)).collect()
}

/// What a bundle of these files begins with.
pub fn recipe(number: u32) -> Recipe {
    let (version, least) = (Version(0, number, 0), Version(0, 1, 0));
    Recipe { board: "desk".into(), version, least, downgrade: false, level: 1 }
}

/// The bytes of a bundle. The files go through a folder of their own.
///
/// # Panics
/// Where it cannot be made.
pub fn bundle(recipe: &Recipe, files: &Files, base: &dyn Base) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a test may write");
    let sources = sources(folder.path(), files);
    let (mut scratch, mut out) = (Cursor::new(Vec::new()), Vec::new());
    make(recipe, &sources, base, &key(), &mut scratch, &mut out, &mut |_| {}).expect("it can be made");
    out
}

/// Writes files into a folder, as sources of a bundle.
///
/// # Panics
/// Where they cannot be written.
pub fn sources(folder: &Path, files: &Files) -> Vec<Source> {
    let write = |(name, (bytes, executable)): (&String, &(Vec<u8>, bool))| {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().expect("it has a folder")).expect("a test may write");
        std::fs::write(&path, bytes).expect("a test may write");
        Source { name: name.clone(), executable: *executable, path }
    };
    files.iter().map(write).collect()
}

/// A whole bundle of one version, opened.
///
/// # Panics
/// Never: it is well made.
pub fn opened(number: u32) -> Bundle<Cursor<Vec<u8>>> {
    open(bundle(&recipe(number), &files(number), &NoBase)).expect("it is well made")
}

/// Opens a bundle as the tests' units do.
///
/// # Errors
/// Why it is refused.
pub fn open(bytes: Vec<u8>) -> Result<Bundle<Cursor<Vec<u8>>>, models::bundle::Error> {
    Bundle::open(Cursor::new(bytes), &keys())
}

/// Files in memory, as what a bundle of differences is made against.
pub struct Memory<'a>(pub &'a Files);

impl Base for Memory<'_> {
    fn open(&self, name: &str) -> std::io::Result<Option<Box<dyn std::io::Read + '_>>> {
        Ok(self.0.get(name).map(|(bytes, _)| Box::new(bytes.as_slice()) as Box<dyn std::io::Read>))
    }
}

/// A bundle of any manifest and any payload, signed by any key.
pub fn assemble(manifest: &[u8], payload: &[u8], key: &SigningKey) -> Vec<u8> {
    let signature = key.sign(manifest, "by hand");
    let length = |bytes: &[u8]| (bytes.len() as u32).to_le_bytes();
    let parts = [&MAGIC[..], &FORMAT.to_le_bytes(), &length(signature.as_bytes()), &length(manifest)];
    [parts.concat(), signature.into_bytes(), manifest.to_vec(), payload.to_vec()].concat()
}

/// Where the manifest of a bundle begins, and where the files do.
pub fn parts(bundle: &[u8]) -> (usize, usize) {
    let number = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|i| bundle[at + i])) as usize;
    let manifest = models::bundle::HEADER + number(12);
    (manifest, manifest + number(16))
}
