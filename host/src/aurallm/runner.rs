//! A language model that translates line by line.

use std::path::Path;

use models::translator::Direction;

use super::{Candidates, Cpu, Decoding, Instruction, Language, generate};
use crate::evaluate::Translates;
use crate::{Error, ui};

/// The longest answer, in tokens.
const LONGEST: usize = 256;

/// A language model with an adapter that was trained to translate. Of a line for which it comes to no end it says nothing:
/// it goes round in circles then, and a wrong sign is worse than none.
pub struct LanguageRunner {
    language: Language<Cpu>,
    instruction: Instruction,
    candidates: Option<Candidates>,
    decoding: Decoding,
}

impl LanguageRunner {
    /// Opens a model and puts an adapter on it, which becomes part of its weights. `candidates` is given the
    /// instruction that the adapter was trained by.
    ///
    /// # Errors
    /// [`Error::Language`] with the file that is missing or wrong, and where the adapter was trained with a lexicon and
    /// is given none, or the other way round.
    pub fn open(
        model: &Path,
        adapter: &Path,
        decoding: Decoding,
        candidates: impl FnOnce(&Instruction) -> Result<Option<Candidates>, Error>,
    ) -> Result<Self, Error> {
        let instruction = Instruction::read(adapter)?;
        let candidates = candidates(&instruction)?;
        if candidates.is_some() != instruction.candidates {
            let why = match instruction.candidates {
                true => "it learned to choose from the signs of a lexicon; give it one with --lexicon",
                false => "it was trained without the signs of a lexicon; leave out --lexicon",
            };
            return Err(Error::Language { path: adapter.into(), why: why.into() });
        }
        let device = Default::default();
        let mut language = Language::open(model, &device)?;
        language.adapt(adapter, &device)?;
        language.net = language.net.merged();
        Ok(Self { language, instruction, candidates, decoding })
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
        let entries = self.candidates.as_ref().map_or_else(Vec::new, |c| c.of(&line));
        let prompt = self.language.tokens(&self.instruction.prompt(&entries, &line))?;
        let room = config.max_position_embeddings.saturating_sub(prompt.len()).min(LONGEST);
        if room == 0 {
            let (length, most) = (prompt.len(), config.max_position_embeddings);
            return Err(Error::Text { why: format!("it has {length} tokens, and the model reads {most}") });
        }
        let said = generate(net, &prompt, config.ends(), room, self.decoding);
        if said.len() == room {
            ui::say(format!("no answer: the model came to no end within {room} tokens, for {line:?}"));
            return Ok(String::new());
        }
        let said = self.language.text(&said, true)?;
        Ok(said.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}
