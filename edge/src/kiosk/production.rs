//! The thread production: texts that came over the cable are made into signing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use boards::Board;
use models::link::message;

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
}

impl Producing {
    /// Signs what is asked for until the unit ends.
    ///
    /// # Errors
    /// Where lexicons or the translator cannot be used; people have been told by then.
    pub fn run(&self) -> anyhow::Result<()> {
        let cannot = |e: &anyhow::Error| self.shared.trouble(Trouble::Signing, Some(format!("{e:#}")));
        let mut production = self.signed.production(&self.board).inspect_err(cannot)?;
        self.shared.trouble(Trouble::Signing, None);
        while self.shared.ending().is_none() {
            if let Some(request) = self.shared.requests.take(LOOK) {
                self.sign(&mut production, request);
            }
        }
        Ok(())
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
