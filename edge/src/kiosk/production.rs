//! The thread production: texts that came over the cable are made into signing.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use boards::Board;
use models::link::message;

use super::heart::Part;
use super::shared::{News, Request, Shared, Trouble};
use crate::cli::sign::Signed;
use crate::production::{Manner, Production, Provenance, Signing};

/// It looks so often whether the unit ends.
const LOOK: Duration = Duration::from_millis(500);

/// What signs, and how.
pub struct Producing {
    pub shared: Arc<Shared>,
    pub board: Board,
    pub signed: Signed,
    /// The text that is being made into signing: where this thread breaks, it is not signed.
    pub at_work: Mutex<Option<String>>,
}

impl Producing {
    /// Signs what is asked for until the unit ends.
    ///
    /// # Errors
    /// Where lexicons or the translator cannot be used; people have been told by then.
    pub fn run(&self) -> anyhow::Result<()> {
        if let Some(text) = self.work_on(None) {
            self.shared.news.push(News::Fails(text));
        }
        let mut production = self.signed.production(&self.board).inspect_err(|error| self.cannot(error))?;
        self.shared.trouble(Trouble::Signing, None);
        let at_work = self.shared.at_work(Part::Production);
        while self.shared.ending().is_none() {
            at_work.goes_on();
            if let Some(request) = self.shared.requests.take(LOOK) {
                self.work_on(Some(request.text.clone()));
                self.sign(&mut production, request);
                self.work_on(None);
            }
        }
        Ok(())
    }

    /// Notes what is being worked on; gives what was before.
    fn work_on(&self, text: Option<String>) -> Option<String> {
        std::mem::replace(&mut *self.at_work.lock().unwrap_or_else(PoisonError::into_inner), text)
    }

    /// Nothing can be signed: people are told, and so is whoever waits.
    fn cannot(&self, error: &anyhow::Error) {
        let said = format!("{error:#}");
        self.shared.trouble(Trouble::Signing, Some(said.clone()));
        while let Some(Request { text, answer }) = self.shared.requests.take(Duration::ZERO) {
            // Whoever asked may have gone.
            let _ = answer.send(Err(said.clone()));
            self.shared.news.push(News::Fails(text));
        }
    }

    fn sign(&self, production: &mut Production, Request { text, answer }: Request) {
        let begun = Instant::now();
        let signed = production.sign(&text, Manner::at(self.board.screen.rate_hz as f32));
        self.shared.took("production", begun);
        // Whoever asked may have gone; the text is signed all the same.
        match signed {
            Ok(signing) => {
                let _ = answer.send(Ok(told(&signing)));
                self.shared.news.push(News::Ready(text, Box::new(signing)));
            }
            Err(fault) => {
                let _ = answer.send(Err(fault.to_string()));
                self.shared.news.push(News::Fails(text));
            }
        }
    }
}

/// Each word with where its signs came from, and milliseconds.
fn told(signing: &Signing) -> (Vec<message::Word>, u32) {
    let words = signing.words.iter().filter(|word| word.provenance != Provenance::Mark);
    let words = words.map(|word| message::Word {
        text: word.text.clone(),
        from: word.provenance.words().into(),
        glosses: word.glosses().collect::<Vec<_>>().join(" "),
    });
    (words.collect(), (signing.track.duration_s() * 1e3) as u32)
}
