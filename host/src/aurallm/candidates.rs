//! Signs of a lexicon that may fit a sentence: what the paper calls retrieval, beside what a language model knows.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use models::gloss::{Convention, label_key};
use models::lexicon::{Lexicon, plain, segment};
use models::retrieval::{Embed, Index, Subword};
use models::translator::text::{is_wide, normal};

use crate::Error;

/// Candidates of a sentence: what more there is, nobody reads.
const MOST: usize = 24;
/// A sign stands beside a word that no lexicon has from this share on of the cosine from which it may stand for it:
/// the model still chooses.
const NEAR: f32 = 0.5;
/// Longest word of a writing without spaces, in characters.
const LONGEST_UNSPACED: usize = 12;

/// The signs of one pair of languages.
pub struct Candidates {
    /// Glosses by a word, a gloss, or a gloss without its marks, all in plain letters.
    signs: HashMap<String, String>,
    embedded: Option<Embedded>,
}

/// Signs by their embeddings.
struct Embedded {
    embedder: Subword,
    index: Index,
    /// The gloss of each row.
    glosses: Vec<String>,
}

impl Candidates {
    /// Opens lexicons, of which the first that has a word wins, and an embedder that finds signs for other words.
    ///
    /// # Errors
    /// What is wrong with a lexicon or the embedder, and [`Error::Argument`] where no lexicon has the sign language,
    /// or the embedder is of other languages.
    pub fn open(
        lexicons: &[PathBuf],
        embedder: Option<&Path>,
        [spoken, signed]: [&str; 2],
    ) -> Result<Self, Error> {
        let lexicons = lexicons.iter().map(Lexicon::open).collect::<Result<Vec<_>, _>>()?;
        let known: BTreeSet<&str> =
            lexicons.iter().flat_map(|l| l.languages()).map(|(signed, _)| signed).collect();
        if !known.contains(signed) {
            let known = known.into_iter().collect::<Vec<_>>().join(", ");
            let expected = format!("a lexicon with signs of {signed}; there are those of {known}");
            return Err(Error::Argument { option: "--lexicon", given: signed.into(), expected });
        }
        let entries = lexicons.iter().flat_map(|lexicon| {
            let mut entries: Vec<_> = lexicon.entries(signed).collect();
            entries.retain(|e| e.spoken_language.is_empty() || e.spoken_language == spoken);
            entries.sort_by_key(|entry| entry.priority);
            entries
        });
        let (mut own, mut bare, mut rows) = (HashMap::new(), vec![], vec![]);
        for entry in entries {
            let gloss = if entry.glosses.is_empty() { &entry.words } else { &entry.glosses };
            for term in entry.words.split('|').chain([&gloss[..]]).map(plain).filter(|t| !t.is_empty()) {
                own.entry(term).or_insert_with(|| gloss.clone());
            }
            bare.extend(Convention::of(gloss).bases.iter().map(|base| (plain(base), gloss.clone())));
            rows.push((&entry.words, &entry.glosses, gloss));
        }
        // What is written with its marks is nearer than what has others.
        let mut signs = own;
        for (base, gloss) in bare {
            signs.entry(base).or_insert(gloss);
        }

        let Some(path) = embedder else { return Ok(Self { signs, embedded: None }) };
        let embedder = Subword::read(path)?;
        let is = [&embedder.manifest().spoken, &embedder.manifest().signed];
        if is != [spoken, signed] {
            let [of, to] = is;
            let expected =
                format!("an embedder of {spoken} for signs of {signed}, and it is of {of} for {to}");
            let given = path.display().to_string();
            return Err(Error::Argument { option: "--embedder", given, expected });
        }
        let (mut index, mut glosses, mut seen) = (Index::new(embedder.width()), vec![], BTreeSet::new());
        for (words, label, gloss) in rows {
            let row = embedder.sign(words, label);
            if seen.insert(label_key(gloss)) && row.is_some_and(|row| index.push(&row)) {
                glosses.push(gloss.clone());
            }
        }
        Ok(Self { signs, embedded: Some(Embedded { embedder, index, glosses }) })
    }

    /// The glosses of signs that may fit a sentence, each once: those of its own words in their order, then those
    /// that are nearest to words which no lexicon has (eq. 1).
    pub fn of(&self, sentence: &str) -> Vec<String> {
        let (mut all, mut near) = (vec![], vec![]);
        for word in self.words(&normal(sentence)) {
            match self.signs.get(&plain(&word)) {
                Some(gloss) => all.push(gloss.clone()),
                None => near.extend(self.near(&word)),
            }
        }
        let mut seen = BTreeSet::new();
        all.extend(near);
        all.retain(|gloss| seen.insert(label_key(gloss)));
        all.truncate(MOST);
        all
    }

    /// The words of a sentence in its normal form; of a writing without spaces those that a lexicon has.
    fn words(&self, sentence: &str) -> Vec<String> {
        let cut = |run: &str| -> Vec<String> {
            if !run.chars().any(is_wide) {
                return vec![run.to_owned()];
            }
            let pieces = segment(run, LONGEST_UNSPACED, |part| self.signs.contains_key(&plain(part)));
            pieces.into_iter().map(|piece| piece.text.to_owned()).collect()
        };
        let runs = sentence.split(' ').filter(|run| run.chars().any(char::is_alphanumeric));
        runs.flat_map(cut).collect()
    }

    /// The sign that is nearest to a word.
    fn near(&self, word: &str) -> Option<String> {
        let Embedded { embedder, index, glosses } = self.embedded.as_ref()?;
        let near = index.nearest(&embedder.word(word)?)?;
        (near.cosine >= NEAR * embedder.threshold()).then(|| glosses[near.row].clone())
    }
}

#[cfg(test)]
mod tests {
    use models::retrieval::SubwordManifest;
    use tempfile::TempDir;

    use super::*;

    fn lexicon(dir: &TempDir, spoken: &str, rows: &[&str]) -> PathBuf {
        let rows: String = rows.iter().map(|row| format!("a.pose,{spoken},gsg,{row}\n")).collect();
        let head = "path,spoken_language,signed_language,words,glosses\n";
        std::fs::write(dir.path().join("index.csv"), format!("{head}{rows}")).unwrap();
        dir.path().into()
    }

    /// `schauer` lies beside REGEN.
    fn embedder(dir: &TempDir) -> PathBuf {
        let manifest = SubwordManifest {
            name: "test".into(),
            spoken: "de".into(),
            signed: "gsg".into(),
            width: 2,
            buckets: 0,
            threshold: 0.5,
            words: vec!["schauer".into()],
            labels: vec!["regen".into(), "wind".into(), "kind".into()],
            data: vec![],
            metrics: vec![],
            recipe: "none".into(),
        };
        let path = dir.path().join("embedder");
        let rows = [1.0, 0.1, 1.0, 0.0, 0.7, 0.7, 0.0, 1.0];
        Subword::new(manifest, rows).unwrap().write(&path).unwrap();
        path
    }

    #[test]
    fn own_signs_come_first_and_then_the_nearest() {
        let dir = TempDir::new().unwrap();
        let folder = lexicon(&dir, "de", &[",KIND", ",WIND", ",REGEN", "Österreich,OESTERREICH"]);
        let languages = ["de", "gsg"];
        let plain = Candidates::open(std::slice::from_ref(&folder), None, languages).unwrap();
        assert_eq!(plain.of("Schauer und Wind in Oesterreich, Wind!"), ["WIND", "OESTERREICH"]);
        assert!(plain.of("").is_empty());
        let embedder = embedder(&dir);
        let near = Candidates::open(std::slice::from_ref(&folder), Some(&embedder), languages).unwrap();
        assert_eq!(near.of("Schauer, Kind"), ["KIND", "REGEN"]);

        let refused = |embedder, languages| {
            Candidates::open(std::slice::from_ref(&folder), embedder, languages).err().unwrap().to_string()
        };
        let said = refused(None, ["de", "ase"]);
        assert!(said.contains("--lexicon") && said.contains("those of gsg"), "{said}");
        let said = refused(Some(&embedder), ["en", "gsg"]);
        assert!(said.contains("--embedder") && said.contains("of de for gsg"), "{said}");
    }

    #[test]
    fn a_writing_without_spaces_is_cut_by_the_lexicon() {
        let dir = TempDir::new().unwrap();
        let folder = lexicon(&dir, "zh", &[",今天", ",天气1", ",好"]);
        let found = Candidates::open(&[folder], None, ["zh", "gsg"]).unwrap().of("今天的天气好。");
        assert_eq!(found, ["今天", "天气1", "好"]);
    }
}
