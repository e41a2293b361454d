//! What the stages that learn from videos share: the stage before, the corpora, and the folder that they write.

use burn::tensor::backend::Backend;
use models::manifest::sha256;

use super::{SignXRecipe, measure, source};
use crate::data::Utterance;
use crate::nn::{load, save};
use crate::signx::clip::{Clip, films};
use crate::signx::model::{VIDEO_WEIGHTS, WEIGHTS, read, tracks_of};
use crate::signx::{Encode, Film, Pose2Gloss, Preset, SignXManifest, SignXModel, Video2Pose};
use crate::train::fit::{Plain, forget};
use crate::train::{Options, Training, command, pretty, write};
use crate::{Error, ui};

/// An utterance with its tracks and its video.
pub(super) type Filmed = (Utterance, Clip, Film);

/// A stage that learns from videos.
pub(super) struct Stage<'a> {
    recipe: &'a SignXRecipe,
    /// How it is trained.
    pub options: &'a Options,
    /// What the stage before wrote.
    pub before: SignXModel<Plain<Training>>,
    /// To learn.
    pub learnt: Vec<Filmed>,
    /// So many utterances without a video are learnt beside these.
    pub recorded: usize,
    /// To measure on.
    dev: Vec<Filmed>,
}

impl<'a> Stage<'a> {
    /// Reads the folder of the stage before, and both corpora.
    ///
    /// # Errors
    /// Where none is named, or one cannot be read.
    pub fn begin(recipe: &'a SignXRecipe, options: &'a Options) -> Result<Self, Error> {
        let missing = || {
            let expected = "the folder that the stage before it wrote".into();
            Error::Argument { option: "--base", given: String::new(), expected }
        };
        let base = options.base.as_deref().ok_or_else(missing)?;
        let before = SignXModel::open(base, &Default::default())?;
        let [learnt, dev] = ["train", "dev"].map(|part| films(&options.data.join(part), &before.preset));
        let stage = Self { recipe, options, before, learnt: learnt?, recorded: 0, dev: dev? };
        let (learnt, dev) = (stage.learnt.len(), stage.dev.len());
        ui::say(format!("{}: {learnt} utterances to learn, {dev} to measure on", recipe.name));
        Ok(stage)
    }

    /// Measures what was learnt in so many steps on development data, and writes the folder of both networks; `ending` is
    /// added to the name of the model before.
    ///
    /// # Errors
    /// Where the folder cannot be written.
    pub fn keep(
        self,
        ending: &str,
        steps: usize,
        net: &Pose2Gloss<Plain<Training>>,
        video: &Video2Pose<Plain<Training>>,
    ) -> Result<SignXManifest, Error> {
        let Self { recipe, options, before: SignXModel { manifest, preset, .. }, learnt, recorded, dev } =
            self;
        let weights = [save::<Plain<Training>, _>(net), save::<Plain<Training>, _>(video)];
        let references: Vec<_> = dev.iter().map(|(utterance, clip, _)| (utterance, clip.frames())).collect();
        let metrics = measure(&preset, &references, " --video", |at, how| {
            let frames = tracks_of(video, &dev[at].2, preset.reads);
            read(net, &preset, &manifest.glosses, &frames, how)
        });
        let manifest = SignXManifest {
            name: format!("{}-{ending}", manifest.name),
            weights_sha256: sha256(&weights[0]),
            video_sha256: Some(sha256(&weights[1])),
            data: vec![source(&options.data, learnt.len() + recorded)],
            metrics,
            recipe: format!(
                "{} --base BASE, a folder made by: {}",
                command(recipe.name, options, steps),
                manifest.recipe
            ),
            ..manifest
        };
        let files = [(WEIGHTS, weights[0].as_slice()), (VIDEO_WEIGHTS, weights[1].as_slice())];
        write(&options.out, &files, pretty(&manifest))?;
        forget(&options.out)?;
        Ok(manifest)
    }
}

/// What examples are made of, in a word.
pub(super) fn fingerprint(examples: &[Filmed]) -> String {
    let marks = |film: &Film| film.marks.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    let each = examples
        .iter()
        .map(|(_, clip, film)| clip.fingerprint() + &sha256(&film.frames) + &sha256(&marks(film)));
    sha256(each.collect::<String>().as_bytes())
}

/// A Video2Pose to learn: one that was learnt before, to go on learning, or where there is none a new one.
pub(super) fn learning(
    preset: &Preset,
    encode: &Encode<Training>,
    before: Option<&Video2Pose<Plain<Training>>>,
) -> Video2Pose<Training> {
    let new = preset.video2pose.init(encode, &Default::default());
    match before {
        Some(before) => load(new, save(before)).expect("both are of one shape"),
        None => new,
    }
}

/// The Video2Pose of the stage before.
///
/// # Errors
/// [`Error::Argument`] where it has none.
pub(super) fn with_video<'a, B: Backend>(
    video: &'a Option<Video2Pose<B>>,
    options: &Options,
) -> Result<&'a Video2Pose<B>, Error> {
    video.as_ref().ok_or_else(|| {
        let given = options.base.as_deref().map_or_else(String::new, |base| base.display().to_string());
        let expected = "a folder that `train signx-video` wrote".into();
        Error::Argument { option: "--base", given, expected }
    })
}
