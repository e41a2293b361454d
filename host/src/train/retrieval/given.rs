//! An embedder whose vectors a sentence embedder gives.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use models::lexicon::plain;
use models::retrieval::{EMBEDDER_LIMIT, Subword, SubwordManifest};
use models::translator::text::normal;

use super::learn::{CERTAIN, Pairs};
use super::sentence::SentenceModel;
use crate::data::sentences::Sentence;
use crate::train::Options;
use crate::{Error, ui};

/// Vectors of words and glosses, in plain letters.
pub struct Given {
    words: BTreeMap<String, Vec<f32>>,
    labels: BTreeMap<String, Vec<f32>>,
}

impl Given {
    /// Asks the sentence embedder that the options name, where they do, for the words and glosses of a corpus and for the
    /// words of a list.
    ///
    /// # Errors
    /// Where the embedder or the list cannot be read, or the file would be larger than a unit reads.
    pub fn open(options: &Options, sentences: &[Sentence], pairs: &Pairs) -> Result<Option<Self>, Error> {
        let Some(folder) = &options.base else { return Ok(None) };
        let model = SentenceModel::open(folder)?;
        // An embedder that learned to read knows words as they are written, not in plain letters.
        let mut written: HashMap<String, String> = HashMap::new();
        let mut words: BTreeSet<String> = BTreeSet::new();
        if let Some(path) = &options.words {
            let list = std::fs::read_to_string(path).map_err(Error::io("read", path))?;
            for word in list.lines().map(str::trim).filter(|word| !plain(word).is_empty()) {
                written.entry(plain(word)).or_insert_with(|| word.into());
                words.insert(plain(word));
            }
        }
        for text in sentences.iter().map(|s| normal(&s.text)) {
            for word in text.split(' ') {
                written.entry(plain(word)).or_insert_with(|| word.into());
            }
        }
        let named = |numbers: &mut dyn Iterator<Item = u32>| -> BTreeSet<String> {
            numbers.map(|n| pairs.forms[n as usize].clone()).collect()
        };
        words.extend(named(&mut pairs.iter().flat_map(|p| p.words.iter().copied())));
        let labels = named(&mut pairs.iter().flat_map(|p| p.glosses.iter().copied()));

        let (count, width) = (words.len() + labels.len(), model.embed("a")?.len());
        let bytes = 2 * count as u64 * width as u64;
        if bytes > EMBEDDER_LIMIT {
            let expected = format!(
                "fewer words: {count} vectors of {width} take {bytes} bytes, and a unit reads {EMBEDDER_LIMIT}"
            );
            let given = options.words.as_deref().unwrap_or(folder).display().to_string();
            return Err(Error::Argument { option: "--words", given, expected });
        }
        let bar = ui::progress(count, "words and glosses embedded");
        let embed = |forms: BTreeSet<String>, length: f32| -> Result<BTreeMap<String, Vec<f32>>, Error> {
            let each = forms.into_iter().map(|form| {
                bar.inc(1);
                let text = written.get(&form).cloned().unwrap_or_else(|| form.replace('-', " "));
                let vector = model.embed(&text)?.into_iter().map(|v| v * length).collect();
                Ok((form, vector))
            });
            each.collect()
        };
        let given = Self { words: embed(words, CERTAIN as f32)?, labels: embed(labels, 1.0)? };
        bar.finish_and_clear();
        Ok(Some(given))
    }

    /// The embedder; its threshold is yet to be measured, and `blank` says the rest of what is known about it.
    pub fn embedder(&self, blank: SubwordManifest) -> Subword {
        let names = |of: &BTreeMap<String, Vec<f32>>| of.keys().cloned().collect();
        let manifest = SubwordManifest {
            width: self.width(),
            words: names(&self.words),
            labels: names(&self.labels),
            ..blank
        };
        let vectors = self.words.values().chain(self.labels.values()).flatten().copied();
        Subword::new(manifest, vectors).expect("there is a vector for each name")
    }

    fn width(&self) -> usize {
        self.words.values().chain(self.labels.values()).next().map_or(1, Vec::len)
    }
}
