//! A language model that translates line by line.

use std::path::Path;

use models::translator::Direction;

use super::{Cpu, Decoding, Instruction, Language, generate};
use crate::Error;
use crate::evaluate::Translates;

/// The longest answer, in tokens.
const LONGEST: usize = 256;

/// A language model with an adapter that was trained to translate.
pub struct LanguageRunner {
    language: Language<Cpu>,
    instruction: Instruction,
    decoding: Decoding,
}

impl LanguageRunner {
    /// Opens a model and puts an adapter on it, which becomes part of its weights.
    ///
    /// # Errors
    /// [`Error::Language`] with the file that is missing or wrong.
    pub fn open(model: &Path, adapter: &Path, decoding: Decoding) -> Result<Self, Error> {
        let instruction = Instruction::read(adapter)?;
        let device = Default::default();
        let mut language = Language::open(model, &device)?;
        language.adapt(adapter, &device)?;
        language.net = language.net.merged();
        Ok(Self { language, instruction, decoding })
    }
}

impl Translates for LanguageRunner {
    fn direction(&self) -> Direction {
        self.instruction.direction
    }

    fn spoken(&self) -> &str {
        &self.instruction.spoken
    }

    fn translate(&mut self, line: &str) -> Result<String, Error> {
        let line = self.instruction.direction.normal(line);
        if line.is_empty() {
            return Ok(line);
        }
        let Language { config, net, .. } = &self.language;
        let prompt = self.language.tokens(&self.instruction.prompt(&[], &line))?;
        let room = config.max_position_embeddings.saturating_sub(prompt.len()).min(LONGEST);
        if room == 0 {
            let (length, most) = (prompt.len(), config.max_position_embeddings);
            return Err(Error::Text { why: format!("it has {length} tokens, and the model reads {most}") });
        }
        let said = generate(net, &prompt, config.ends(), room, self.decoding);
        let said = self.language.text(&said, true)?;
        Ok(said.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}
