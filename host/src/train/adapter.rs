//! Trains an adapter on a language model, so that it translates between sentences and glosses (AuraLLM, section 4):
//! the model's own weights stay as they are.

use std::path::PathBuf;

use burn::module::{AutodiffModule, Module};
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{Int, Tensor, TensorData};
use models::manifest::sha256;
use models::translator::Direction;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use super::fit::{Parts, Task, fit, forget};
use super::gradient::with_gradient;
use super::plan::{Plan, Save, step_seed};
use super::{Training, ctc};
use crate::aurallm::{Adapter, Adapters, Candidates, Instruction, Language, Qwen};
use crate::data::sentences::{Sentence, sentences};
use crate::nn::numbers;
use crate::{Error, ui};

/// What an adapter is made of, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct AdapterOptions {
    /// The language model's folder.
    pub model: PathBuf,
    /// Sentences with their glosses, see [`sentences`].
    pub data: PathBuf,
    /// The folder that the adapter is written to.
    pub out: PathBuf,
    /// What it learns to do.
    pub instruction: Instruction,
    /// What it changes, and how much.
    pub adapter: Adapter,
    /// Dialogues of a step.
    pub batch: usize,
    /// How often each sentence is seen.
    pub epochs: usize,
    /// The highest learning rate.
    pub rate: f64,
    /// Everything random follows from it.
    pub seed: u64,
    /// Whether a checkpoint in the folder is left aside.
    pub fresh: bool,
    /// Steps between two checkpoints, where not some minutes.
    pub save_every: Option<usize>,
}

/// Trains and writes `adapter_config.json`, `adapter_model.safetensors` and `instruction.json`. Where the instruction
/// has candidates, they come out of those given.
///
/// # Errors
/// Where the model or the data cannot be read, no dialogue fits the model, the loss goes astray, or the folder cannot
/// be written.
pub fn train(options: &AdapterOptions, candidates: Option<&Candidates>) -> Result<(), Error> {
    let AdapterOptions { model, out, instruction, adapter, seed, .. } = options;
    std::fs::create_dir_all(out).map_err(Error::io("make the folder", out))?;
    let device = Default::default();
    let mut language = Language::<Training>::open(model, &device)?;
    let refused = |why| Error::Language { path: model.clone(), why };
    if language.net.quantized() {
        return Err(refused(
            "its weights are quantized; train the adapter on the model that they were made of".into(),
        ));
    }
    let read = sentences(&options.data)?;
    let mut dialogues = vec![];
    for sentence in &read {
        dialogues.extend(dialogue(&language, instruction, candidates, sentence)?);
    }
    let short = read.len() - dialogues.len();
    if dialogues.is_empty() {
        let why = format!("none of {} sentences fits the language model", read.len());
        return Err(Error::Sentences { path: options.data.clone(), line: 1, why });
    }
    ui::say(format!("{} dialogues to learn, {short} empty or too long", dialogues.len()));

    Training::seed(&device, *seed);
    adapter.begin(&mut language.net, &device).map_err(refused)?;
    let begun = language.net.adapters();
    let steps = options.epochs * dialogues.len().div_ceil(options.batch);
    let data = format!("{adapter:?} {} {dialogues:?} {:?}", options.batch, language.config);
    let plan = Plan::new("adapter", steps, *seed);
    let plan = Plan {
        rate: options.rate,
        decay: 0.0,
        data: sha256(data.as_bytes()),
        folder: Some(out.clone()),
        save: options.save_every.map_or(plan.save, Save::Steps),
        ..plan
    };
    if options.fresh {
        forget(out)?;
    }
    let base = language.net.no_grad();
    let task = AdapterTask { base: &base, dialogues: &dialogues, batch: options.batch, seed: *seed };
    let trained = fit::<Training, _>(begun, &task, &plan)?;
    let unwritten = |(path, error): (PathBuf, std::io::Error)| Error::io("write", &path)(error);
    adapter.save(&base.valid().with(&trained), out).map_err(unwritten)?;
    instruction.write(out).map_err(unwritten)?;
    forget(out)
}

/// A dialogue that is learnt: what the model is asked and what it should answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialogue {
    tokens: Vec<u32>,
    /// Where the answer begins.
    answer: usize,
}

/// A sentence's dialogue, with the end that the answer has; none where a side is empty or both are longer than the
/// model reads.
fn dialogue<B: Backend>(
    language: &Language<B>,
    instruction: &Instruction,
    candidates: Option<&Candidates>,
    sentence: &Sentence,
) -> Result<Option<Dialogue>, Error> {
    let text = Direction::TextToGloss.normal(&sentence.text);
    let glosses = Direction::GlossToText.normal(&sentence.glosses);
    let [asked, answer] = match instruction.direction {
        Direction::TextToGloss => [text, glosses],
        Direction::GlossToText => [glosses, text],
    };
    if asked.is_empty() || answer.is_empty() {
        return Ok(None);
    }
    let entries = candidates.map_or_else(Vec::new, |c| c.of(&asked));
    let mut tokens = language.tokens(&instruction.prompt(&entries, &asked))?;
    let begins = tokens.len();
    tokens.extend(language.tokens(&answer)?);
    tokens.extend(language.config.ends().first());
    let fits = tokens.len() <= language.config.max_position_embeddings;
    Ok(fits.then_some(Dialogue { tokens, answer: begins }))
}

/// Trains [`Adapters`] on a network that stays as it is.
pub struct AdapterTask<'a, B: Backend> {
    /// The network; whatever adapters it has are not looked at.
    pub base: &'a Qwen<B>,
    /// What is learnt.
    pub dialogues: &'a [Dialogue],
    /// Dialogues of a step.
    pub batch: usize,
    /// The order follows from it.
    pub seed: u64,
}

impl<B: AutodiffBackend> Task<B> for AdapterTask<'_, B> {
    type Net = Adapters<B>;
    type Batch = Vec<Dialogue>;

    fn batch(&self, step: usize) -> Vec<Dialogue> {
        let of_epoch = self.dialogues.len().div_ceil(self.batch);
        let mut rng = StdRng::seed_from_u64(step_seed(self.seed, step / of_epoch));
        let mut order: Vec<usize> = (0..self.dialogues.len()).collect();
        order.shuffle(&mut rng);
        let chosen = order.chunks(self.batch).nth(step % of_epoch).unwrap_or_default();
        chosen.iter().map(|i| self.dialogues[*i].clone()).collect()
    }

    fn loss(&self, adapters: &Adapters<B>, batch: Vec<Dialogue>) -> (Tensor<B, 1>, Parts<B>) {
        (answered(&self.base.clone().with(adapters), &batch), vec![])
    }
}

/// The mean cross-entropy of all tokens of the answers, which only what was asked and said before explains.
fn answered<B: AutodiffBackend>(net: &Qwen<B>, batch: &[Dialogue]) -> Tensor<B, 1> {
    let longest = batch.iter().map(|d| d.tokens.len()).max().unwrap_or(0);
    let device = net.device();
    // Nothing looks at what stands later: what fills up a row is any token.
    let rows = batch.iter().flat_map(|d| (0..longest).map(|i| d.tokens.get(i).map_or(0, |t| i64::from(*t))));
    let rows = TensorData::new(rows.collect::<Vec<_>>(), [batch.len(), longest]);
    let known = net.read(Tensor::<B, 2, Int>::from_data(rows, &device), &mut vec![]);
    let [b, t, d] = known.dims();
    let places = batch.iter().enumerate().flat_map(|(n, dialogue)| {
        (dialogue.answer..dialogue.tokens.len()).map(move |i| (n * t + i - 1, dialogue.tokens[i]))
    });
    let (places, truth): (Vec<usize>, Vec<u32>) = places.unzip();
    let order: Vec<i64> = places.iter().map(|p| *p as i64).collect();
    let order = Tensor::<B, 1, Int>::from_data(TensorData::new(order, [places.len()]), &device);
    let logits = net.says(known.reshape([b * t, d]).select(0, order).unsqueeze()); // [1, N, V]
    let [_, n, v] = logits.dims();
    let values = numbers(logits.clone());
    let mut gradient = vec![0.0; values.len()];
    let rows = values.chunks_exact(v).zip(gradient.chunks_exact_mut(v)).zip(&truth);
    let each =
        rows.map(|((row, slot), token)| ctc::cross_entropy(row, *token as usize, 1.0 / n as f32, slot));
    let loss: f64 = each.sum();
    with_gradient(logits, &values, gradient, loss / n as f64)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use burn::optim::GradientsParams;
    use safetensors::SafeTensors;
    use serde::Deserialize;
    use tempfile::TempDir;

    use super::*;

    /// What `tests/parity/qwen/make.py` says of the loss.
    #[derive(Deserialize)]
    struct Said {
        adapted: Adapted,
        learnt: Learnt,
    }

    #[derive(Deserialize)]
    struct Adapted {
        ids: Vec<u32>,
    }

    #[derive(Deserialize)]
    struct Learnt {
        answer: usize,
        loss: f32,
        gradients: BTreeMap<String, Vec<f32>>,
    }

    #[test]
    fn the_gradient_is_that_of_peft() {
        let parity = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/parity/qwen");
        let said = std::fs::read(parity.join("said.json")).unwrap();
        let Said { adapted, learnt } = serde_json::from_slice(&said).unwrap();
        let dir = TempDir::new().unwrap();
        for file in std::fs::read_dir(parity.join("tied")).unwrap().map(|f| f.unwrap().path()) {
            std::fs::copy(&file, dir.path().join(file.file_name().unwrap())).unwrap();
        }
        std::fs::copy(parity.join("tokenizer.json"), dir.path().join("tokenizer.json")).unwrap();
        let device = Default::default();
        let mut language = Language::<Training>::open(dir.path(), &device).unwrap();
        let adapter = language.adapt(&parity.join("adapter"), &device).unwrap();
        let adapters = language.net.adapters();
        let net = language.net.no_grad();

        let dialogue = Dialogue { tokens: adapted.ids, answer: learnt.answer };
        // A shorter one beside it is filled up, and must not change what the longer one says.
        let short = Dialogue { tokens: dialogue.tokens[..9].to_vec(), answer: 9 };
        let loss = answered(&net.clone().with(&adapters), &[short, dialogue]);
        assert!((loss.clone().into_scalar() - learnt.loss).abs() < 1e-5);

        // The gradients in an adapter's place are written as an adapter is, by the names that peft knows.
        let gradients = GradientsParams::from_grads(loss.backward(), &adapters);
        let of = adapters.valid().map(&mut Gradients(gradients));
        let written = TempDir::new().unwrap();
        adapter.save(&net.valid().with(&of), written.path()).unwrap();
        let bytes = std::fs::read(written.path().join("adapter_model.safetensors")).unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        assert_eq!(tensors.len(), learnt.gradients.len());
        for (name, expect) in learnt.gradients {
            let data = tensors.tensor(&name).unwrap();
            let values = data.data().chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap()));
            let far = values.zip(&expect).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            let largest = expect.iter().fold(0.0, |a: f32, g| a.max(g.abs()));
            assert!(far < 1e-3 * largest, "{name}: {far} of {largest}");
        }
    }

    /// Puts gradients where the parameters are.
    struct Gradients(GradientsParams);

    impl<B: Backend> burn::module::ModuleMapper<B> for Gradients {
        fn map_float<const D: usize>(
            &mut self,
            param: burn::module::Param<Tensor<B, D>>,
        ) -> burn::module::Param<Tensor<B, D>> {
            let gradient = self.0.remove::<B, D>(param.id).unwrap();
            param.map(|_| gradient)
        }
    }
}
