//! A sentence on its way through a translator's networks: what the decoder keeps of each translation.

use super::pieces::{BEGIN, END};
use super::search::{Steps, search};
use super::text::{parts, written};
use super::{Direction, Sizes, TranslatorManifest};

/// What is added to the attention's score of what is not there. Its share is nothing to a float, and still a number
/// that exponentials need not round to 0, which takes them ten times as long.
pub const NOT_THERE: f32 = -50.0;

/// The engine that runs a translator's networks.
pub trait Networks {
    /// Why it may fail.
    type Error;

    /// `encoder.onnx`.
    ///
    /// # Shapes
    /// - `source`, `there`: `[1, S]` of a translator; of another network what its encoder takes
    ///
    /// # Errors
    /// Where the engine fails, or gives other shapes.
    fn encode(&mut self, source: &[f32], there: &[f32]) -> Result<Encoded, Self::Error>;

    /// `step.onnx`.
    ///
    /// # Errors
    /// Where the engine fails, or gives other shapes.
    fn step(&mut self, input: &StepInput) -> Result<StepOutput, Self::Error>;
}

/// What an encoder gives.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Encoded {
    /// `[L * H, K, S]`
    pub keys: Vec<f32>,
    /// `[L * H, S, K]`
    pub values: Vec<f32>,
    /// `[S, V]`, logarithms of probabilities: what each place of the source says by itself. Empty where the network
    /// says no such thing, as those of texts do.
    pub heard: Vec<f32>,
}

/// What a step takes; the shapes are in [`super::TranslatorModel`]'s module.
#[derive(Debug, Clone, PartialEq)]
pub struct StepInput {
    /// `[L * H, K, S]`
    pub keys: Vec<f32>,
    /// `[L * H, S, K]`
    pub values: Vec<f32>,
    /// `[1, S]`
    pub absent: Vec<f32>,
    /// `[N]`
    pub pieces: Vec<f32>,
    /// `[1]`
    pub place: Vec<f32>,
    /// `[L * N * H, K, U]`
    pub past_keys: Vec<f32>,
    /// `[L * N * H, U, K]`
    pub past_values: Vec<f32>,
    /// `[1, U]`
    pub past: Vec<f32>,
}

impl StepInput {
    /// All of them, in the order of the network's inputs and of [`Sizes::step_inputs`].
    pub fn all(&self) -> [&[f32]; 8] {
        let Self { keys, values, absent, pieces, place, past_keys, past_values, past } = self;
        [keys, values, absent, pieces, place, past_keys, past_values, past].map(Vec::as_slice)
    }
}

/// What a step gives.
#[derive(Debug, Clone, PartialEq)]
pub struct StepOutput {
    /// `[N, V]`, logarithms of probabilities.
    pub next: Vec<f32>,
    /// `[L, N, D]`
    pub keys: Vec<f32>,
    /// `[L, N, D]`
    pub values: Vec<f32>,
}

/// Translates a line: a sentence, or some, part by part where the networks do not take all at once. What comes out is
/// glosses or a sentence, one space between two words where the writing has spaces.
///
/// # Errors
/// Where the engine fails.
pub fn translate<N: Networks>(
    manifest: &TranslatorManifest,
    networks: &mut N,
    line: &str,
) -> Result<String, N::Error> {
    let source = manifest.kind.normal(line);
    let mut texts = vec![];
    for pieces in sources(manifest, &source) {
        let mut session = Session::begin(networks, manifest.sizes, &pieces)?;
        let found = search(&mut session, manifest.penalty)?.swap_remove(0);
        texts.push(manifest.target.decode(&found.pieces));
    }
    texts.retain(|text| !text.is_empty());
    let text = texts.join(" ");
    Ok(match manifest.kind {
        Direction::TextToGloss => text,
        Direction::GlossToText => written(&text),
    })
}

/// What the networks think of a translation, piece by piece, and of its end: `[pieces + 1, V]`, logarithms of
/// probabilities. Neither may be longer than the networks take.
///
/// # Errors
/// Where the engine fails.
pub fn log_probs<N: Networks>(
    sizes: Sizes,
    networks: &mut N,
    source: &[u32],
    target: &[u32],
) -> Result<Vec<f32>, N::Error> {
    let mut session = Session::begin(networks, sizes, source)?;
    let follows: Vec<usize> = (0..sizes.beam).collect();
    let mut all = vec![];
    for &piece in [BEGIN].iter().chain(target) {
        let next = session.step(&follows, &vec![piece; sizes.beam])?;
        all.extend_from_slice(&next[..next.len() / sizes.beam]);
    }
    Ok(all)
}

/// A source in pieces, as few as the networks take it in.
fn sources(manifest: &TranslatorManifest, source: &str) -> Vec<Vec<u32>> {
    let most = manifest.sizes.source - 1;
    let whole = manifest.source.encode(source);
    if whole.len() <= most {
        return if whole.is_empty() { vec![] } else { vec![whole] };
    }
    let mut sources: Vec<Vec<u32>> = vec![vec![]];
    for part in parts(source) {
        let part = manifest.source.encode(&part);
        // A clause that is too long by itself is cut where it must be; what is left of it begins anew.
        for part in part.chunks(most.max(1)) {
            match sources.last_mut().filter(|last| last.len() + part.len() <= most) {
                Some(last) => last.extend(part),
                None => sources.push(part.to_vec()),
            }
        }
    }
    sources.retain(|source| !source.is_empty());
    sources
}

/// A source, encoded, and its translations so far.
pub struct Session<'a, N> {
    networks: &'a mut N,
    sizes: Sizes,
    input: StepInput,
    /// Pieces that all translations have.
    length: usize,
}

impl<'a, N: Networks> Session<'a, N> {
    fn begin(networks: &'a mut N, sizes: Sizes, pieces: &[u32]) -> Result<Self, N::Error> {
        let s = sizes.source;
        let mut source: Vec<f32> = pieces.iter().chain([&END]).map(|p| *p as f32).collect();
        let length = source.len();
        source.resize(s, END as f32);
        let there: Vec<f32> = (0..s).map(|i| f32::from(u8::from(i < length))).collect();
        let encoded = networks.encode(&source, &there)?;
        Ok(Self::over(networks, sizes, encoded, &there))
    }

    /// Begins to say what follows from a source; `there` `[S]` is 1 for each of its places that is there, else 0.
    pub fn over(networks: &'a mut N, sizes: Sizes, encoded: Encoded, there: &[f32]) -> Self {
        let Encoded { keys, values, .. } = encoded;
        let Sizes { target: u, beam: n, layers: l, .. } = sizes;
        let input = StepInput {
            keys,
            values,
            absent: there.iter().map(|t| (1.0 - t) * NOT_THERE).collect(),
            pieces: vec![0.0; n],
            place: vec![0.0],
            past_keys: vec![0.0; l * n * sizes.width() * u],
            past_values: vec![0.0; l * n * sizes.width() * u],
            past: vec![NOT_THERE; u],
        };
        Self { networks, sizes, input, length: 0 }
    }

    /// Each translation takes over what is kept of that which it continues.
    fn follow(&mut self, follows: &[usize]) {
        if follows.iter().enumerate().all(|(n, f)| n == *f) {
            return;
        }
        let one = self.sizes.width() * self.sizes.target;
        for cache in [&mut self.input.past_keys, &mut self.input.past_values] {
            for layer in cache.chunks_exact_mut(self.sizes.beam * one) {
                let before = layer.to_vec();
                for (to, from) in layer.chunks_exact_mut(one).zip(follows) {
                    to.copy_from_slice(&before[from * one..(from + 1) * one]);
                }
            }
        }
    }

    /// Keeps what a step says of its pieces.
    fn keep(&mut self, StepOutput { keys, values, .. }: &StepOutput) {
        let Sizes { target: u, head: k, .. } = self.sizes;
        if self.length >= u {
            return;
        }
        // `[L * N * H, K, U]` and `[L * N * H, U, K]`, of which this step knows one of U.
        for (i, (key, value)) in keys.chunks_exact(k).zip(values.chunks_exact(k)).enumerate() {
            let at = i * k * u;
            for (j, key) in key.iter().enumerate() {
                self.input.past_keys[at + j * u + self.length] = *key;
            }
            self.input.past_values[at + self.length * k..][..k].copy_from_slice(value);
        }
        self.input.past[self.length] = 0.0;
    }
}

impl<N: Networks> Steps for Session<'_, N> {
    type Error = N::Error;

    fn beam(&self) -> usize {
        self.sizes.beam
    }

    fn longest(&self) -> usize {
        self.sizes.target
    }

    fn step(&mut self, follows: &[usize], pieces: &[u32]) -> Result<Vec<f32>, N::Error> {
        self.follow(follows);
        self.input.pieces = pieces.iter().map(|p| *p as f32).collect();
        self.input.place[0] = self.length as f32;
        let output = self.networks.step(&self.input)?;
        self.keep(&output);
        self.length += 1;
        Ok(output.next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::translator::Pieces;

    const SIZES: Sizes = Sizes { source: 8, target: 7, beam: 2, layers: 1, heads: 2, head: 2 };

    /// Says each piece of the source again, whatever its number is: it looks up in the cache how many it said.
    struct Echo {
        pieces: usize,
        source: Vec<f32>,
        encoded: usize,
    }

    impl Networks for Echo {
        type Error = std::convert::Infallible;

        fn encode(&mut self, source: &[f32], there: &[f32]) -> Result<Encoded, Self::Error> {
            assert_eq!([source.len(), there.len()], [SIZES.source; 2]);
            self.source = source.to_vec();
            self.encoded += 1;
            Ok(Encoded { keys: vec![0.0; 32], values: vec![0.0; 32], heard: vec![] })
        }

        fn step(&mut self, input: &StepInput) -> Result<StepOutput, Self::Error> {
            let (u, k) = (SIZES.target, SIZES.head);
            let said = input.past.iter().filter(|p| **p == 0.0).count();
            assert_eq!(said as f32, input.place[0], "the cache holds what was said");
            let mut next = vec![-9.0; SIZES.beam * self.pieces];
            for n in 0..SIZES.beam {
                // What the first head keeps of each translation is its pieces.
                let values = &input.past_values[n * 2 * u * k..];
                let keys = &input.past_keys[n * 2 * u * k..];
                for i in 0..said {
                    assert_eq!(values[i * k], keys[i], "both are kept at their place");
                }
                // Only a translation that is right so far goes on.
                let right = (1..said).all(|i| values[i * k] == self.source[i - 1])
                    && (said == 0 || input.pieces[n] == self.source[said - 1]);
                if right {
                    next[n * self.pieces + self.source[said] as usize] = -0.1;
                }
            }
            let own: Vec<f32> = input.pieces.iter().flat_map(|p| [*p; 4]).collect();
            Ok(StepOutput { next, keys: own.clone(), values: own })
        }
    }

    #[track_caller]
    fn check(line: &str, expect: &str, encoded: usize) {
        let pieces = Pieces::learn(["a b c d ,"], 0);
        let manifest = TranslatorManifest {
            name: "echo".into(),
            kind: Direction::TextToGloss,
            spoken: "de".into(),
            signed: "gsg".into(),
            encoder_sha256: String::new(),
            step_sha256: String::new(),
            sizes: SIZES,
            penalty: 0.0,
            source: pieces.clone(),
            target: pieces,
            data: vec![],
            metrics: vec![],
            recipe: String::new(),
        };
        let mut echo = Echo { pieces: manifest.target.len(), source: vec![], encoded: 0 };
        let Ok(said) = translate(&manifest, &mut echo, line);
        assert_eq!((said.as_str(), echo.encoded), (expect, encoded), "{line:?}");
    }

    #[test]
    fn what_was_said_is_kept_from_step_to_step() {
        check("a b", "a b", 1);
        check("A  c", "a c", 1);
    }

    #[test]
    fn nothing_is_nothing_and_a_long_line_is_parted() {
        check("", "", 0);
        check(" \u{200f} ", "", 0);
        check("a b, c d", "a b , c d", 2);
        check("ab cd ab", "ab cd ab", 2);
    }

    #[test]
    fn a_line_of_any_length_is_translated_whole() {
        // What has no spaces is cut where it must be: six letters after the first mark, then seven by seven.
        let letters: Vec<char> = "ab".repeat(500).chars().collect();
        let parts = [&letters[..6]].into_iter().chain(letters[6..].chunks(7));
        let in_parts = parts.map(String::from_iter).collect::<Vec<_>>().join(" ");
        check(&"a ".repeat(2_000), &vec!["a"; 2_000].join(" "), 4_000_usize.div_ceil(7));
        check(&"ab".repeat(500), &in_parts, 1_001_usize.div_ceil(7));
    }
}
