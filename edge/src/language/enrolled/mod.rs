//! Signs that were enrolled on site, beside those of the models that ship.
//!
//! An [`Embedder`] turns clips into the points that are kept of them, and, given signs that were
//! enrolled with the same network, becomes a [`Recogniser`] like any other: an engine that gives
//! one logit an enrolled sign and one for none. Nothing is trained.

mod clip;
mod matcher;

use models::enrolment::{Enrolled, Example, Gallery};
use models::features::{Sight, Version};
use models::manifest::{Embedding, Kind, Manifest, Model, NETWORK, NONE};
use models::store::EMBEDDING;

use super::recogniser::{Recogniser, shows_body};
use crate::Fault;
use crate::engine::{self, Backend, Engine, Tensor};
pub use clip::Stretches;
use matcher::Matcher;

/// What the recogniser of enrolled signs is called where a sign says which model read it.
pub const ENROLLED: &str = "enrolled";

/// The network that says where a clip lies among all signs.
pub struct Embedder {
    manifest: Manifest,
    features: Version,
    embedding: Embedding,
    engine: Box<dyn Engine>,
    input: [Tensor; 1],
}

impl Embedder {
    /// Opens the embedding that ships.
    ///
    /// # Errors
    /// [`Fault::Format`] where it is not whole, [`Fault::Backend`] where no engine is there.
    pub fn open(preference: &[Backend]) -> Result<Self, Fault> {
        let model = Model::find(EMBEDDING)?;
        let Kind::Embedding(embedding) = model.manifest.kind else {
            return Err(Fault::NoEmbedding { model: model.manifest.name });
        };
        let path = model.dir.join(NETWORK);
        let engine = engine::open_bytes(&model.network, &path, engine::choose(preference)?, 1)?;
        let input = [Tensor::zeros(&[1, model.features.frames(), model.features.width()])];
        Ok(Self { manifest: model.manifest, features: model.features, embedding, engine, input })
    }

    /// The SHA-256 of the network: only points of the same one can be compared.
    pub fn network(&self) -> &str {
        &self.manifest.sha256
    }

    /// How similar two signs are from which on one is likely taken for the other: a cosine.
    pub fn alike(&self) -> f32 {
        self.embedding.none
    }

    /// What is kept of a stretch of signing; `None` where it shows no hand, or no body to place it by.
    ///
    /// # Errors
    /// [`Fault::Inference`] where the network fails.
    pub fn example(&mut self, stretch: &[Sight]) -> Result<Option<Example>, Fault> {
        if !shows_body(stretch) {
            return Ok(None);
        }
        let mirrored: Vec<_> = stretch.iter().map(Sight::mirrored).collect();
        let (signed, mirrored) = (self.point(stretch)?, self.point(&mirrored)?);
        Ok(signed.zip(mirrored).map(|(signed, mirrored)| Example { signed, mirrored }))
    }

    fn point(&mut self, stretch: &[Sight]) -> Result<Option<Vec<f32>>, Fault> {
        if !self.features.compute(stretch, &mut self.input[0].data) {
            return Ok(None);
        }
        let outputs = self.engine.run(&self.input)?;
        let point = outputs.first().map(|output| output.data.clone()).unwrap_or_default();
        self.check(&point).map(|()| Some(point))
    }

    fn check(&self, point: &[f32]) -> Result<(), Fault> {
        if point.len() == self.embedding.values {
            return Ok(());
        }
        let what = format!("the output of {}", self.manifest.name);
        Err(Fault::Shape { what, expected: vec![1, self.embedding.values], got: vec![1, point.len()] })
    }

    /// A recogniser of enrolled signs. How many there are makes no difference to the network's time.
    ///
    /// # Errors
    /// [`Fault::EnrolAgain`] where they were enrolled with another network.
    pub fn recogniser(self, enrolled: &Enrolled) -> Result<Recogniser, Fault> {
        if enrolled.network != self.manifest.sha256 {
            return Err(Fault::EnrolAgain { model: self.manifest.name });
        }
        if let Some(point) = enrolled.signs.first().and_then(|sign| sign.examples.first()) {
            self.check(&point.signed)?;
        }
        let signs = enrolled.signs.iter();
        let gallery = Gallery::new(signs.clone().map(|s| s.examples.as_slice()), self.embedding.none);
        let manifest = Manifest {
            name: ENROLLED.into(),
            kind: Kind::Isolated,
            labels: signs.map(|s| s.label.clone()).chain([NONE.into()]).collect(),
            rest: vec![NONE.into()],
            ..self.manifest
        };
        let matcher = Matcher::new(self.engine, gallery);
        Ok(Recogniser::over(manifest, self.features, Box::new(matcher)))
    }
}
