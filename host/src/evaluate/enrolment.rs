//! Scores an embedding: signs that it was never taught are enrolled from a few clips, and the others are read.

use std::collections::BTreeMap;
use std::path::Path;

use models::enrolment::{EXAMPLES, Example, Gallery};
use models::features::{Sight, Version};
use models::gloss::label_key;
use models::manifest::{Embedding, Kind, Manifest, Model};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use serde::Serialize;

use super::{Runner, isolated};
use crate::Error;
use crate::data::augment::crop;
use crate::data::{Aspect, Clip};

/// The most that a window loses at each end, as a share: a live one is cut anywhere.
const CUT: f32 = 0.3;

/// What to score.
#[derive(Debug, Clone, PartialEq)]
pub struct EnrolmentOptions {
    /// Clips that enrol a sign.
    pub examples: usize,
    /// Clips of these groups enrol; empty for all.
    pub enrol_from: Vec<String>,
    /// Clips of these groups are read; empty for all that enrolled nothing.
    pub read_from: Vec<String>,
    /// How many signs take part in a draw; all where not given.
    pub signs: Option<usize>,
    /// How often signs and their examples are drawn.
    pub draws: usize,
    /// The draws follow from it.
    pub seed: u64,
}

/// The result, as it is printed. Figures are means over the draws.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EnrolmentReport {
    /// The model's name.
    pub model: String,
    /// The data set's name.
    pub data: String,
    /// Clips that enrolled a sign.
    pub examples: usize,
    /// Signs in a draw.
    pub signs: usize,
    /// How many draws.
    pub draws: usize,
    /// Clips that were read, in all draws together.
    pub n: usize,
    /// The confidence from which a sign is shown.
    pub threshold: f32,
    /// Whole clips.
    #[serde(flatten)]
    pub whole: Scores,
    /// The same clips with up to 30 % lost at each end.
    pub cut: Scores,
    /// The same clips in a mirror: what they are for whoever signs with the other hand.
    pub mirrored: Scores,
    /// Whole clips, signs enrolled without their mirror images.
    pub unmirrored: Scores,
    /// Clips in a mirror, signs enrolled without their mirror images.
    pub mirrored_unmirrored: Scores,
}

/// What one way of reading gives.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Scores {
    /// All signs enrolled, an answer forced: the share that is right.
    pub accuracy: f64,
    /// Its standard deviation over the draws.
    pub accuracy_spread: f64,
    /// Its least.
    pub accuracy_least: f64,
    /// Half of the signs enrolled: the share of their clips that is not answered above the threshold.
    pub missed: f64,
    /// The share of their clips that is taken for another enrolled sign.
    pub confused: f64,
    /// Of the clips of the other half, the share that is taken for an enrolled sign.
    pub taken: f64,
    /// Its standard deviation over the draws.
    pub taken_spread: f64,
    /// Its most.
    pub taken_most: f64,
}

/// Scores an embedding on `STEM.f16.gz` + `STEM.tsv`, or on what [`isolated`](super::isolated()) reads besides.
///
/// # Errors
/// Where the model is no embedding, the data cannot be read, or too few clips are left.
pub fn enrolment(model: &str, stem: &Path, options: &EnrolmentOptions) -> Result<EnrolmentReport, Error> {
    let model = Model::find(model)?;
    let Kind::Embedding(embedding) = model.manifest.kind else {
        return Err(Error::NoEmbedding { model: model.manifest.name });
    };
    if !EXAMPLES.contains(&options.examples) {
        let expected = format!("from {} to {}", EXAMPLES.start(), EXAMPLES.end());
        return Err(Error::Argument { option: "--examples", given: options.examples.to_string(), expected });
    }
    let data = isolated::read(stem, Aspect::Guess)?;
    let clips = embed(&Runner::new(&model)?, model.features, &data.clips, options.seed)?;
    let rng = &mut StdRng::seed_from_u64(options.seed);
    let rule = Rule::of(&model.manifest, embedding);
    let draws: Vec<_> = (0..options.draws).filter_map(|_| Draw::new(&clips, options, rng)).collect();
    let Some(first) = draws.first() else {
        let next =
            "give a data set with more clips a sign, or other groups with --enrol-from and --read-from";
        return Err(Error::NoClips {
            what: format!("signs enrolled from {}", stem.display()),
            next: next.into(),
        });
    };
    let scores = |of: fn(&Embedded) -> &[f32], mirror: bool| {
        let each: Vec<_> = draws.iter().map(|draw| draw.score(of, mirror, rule)).collect();
        Scores::over(&each)
    };
    Ok(EnrolmentReport {
        model: model.manifest.name.clone(),
        data: data.name,
        examples: options.examples,
        signs: first.enrolled.len(),
        draws: draws.len(),
        n: draws.iter().map(|draw| draw.read.len()).sum(),
        threshold: model.manifest.threshold,
        whole: scores(|c| &c.example.signed, true),
        cut: scores(|c| &c.cut, true),
        mirrored: scores(|c| &c.example.mirrored, true),
        unmirrored: scores(|c| &c.example.signed, false),
        mirrored_unmirrored: scores(|c| &c.example.mirrored, false),
    })
}

/// When a unit shows an enrolled sign.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// How similar every window is to no sign: a cosine.
    pub none: f32,
    /// Divides the cosines.
    pub temperature: f32,
    /// The confidence from which a sign is shown.
    pub threshold: f32,
}

impl Rule {
    fn of(manifest: &Manifest, embedding: Embedding) -> Self {
        Self { none: embedding.none, temperature: manifest.temperature, threshold: manifest.threshold }
    }
}

/// A clip with its embeddings.
pub struct Embedded {
    key: String,
    group: String,
    example: Example,
    /// `[E]` of a part of the clip.
    cut: Vec<f32>,
}

/// Embeds clips; those that show nothing are left out.
///
/// # Errors
/// Where the network does not run.
pub fn embed(runner: &Runner, features: Version, clips: &[Clip], seed: u64) -> Result<Vec<Embedded>, Error> {
    let rng = &mut StdRng::seed_from_u64(seed ^ 0x00c0_ffee);
    let mut window = vec![0.0; features.frames() * features.width()];
    let mut place =
        |sights: &[Sight]| features.compute(sights, &mut window).then(|| runner.logits(&window)).transpose();
    let mut out = vec![];
    for clip in clips {
        let mirror: Vec<_> = clip.sights.iter().map(Sight::mirrored).collect();
        let mut cut = clip.sights.clone();
        crop(&mut cut, CUT, rng);
        if let (Some(signed), Some(mirrored), Some(cut)) =
            (place(&clip.sights)?, place(&mirror)?, place(&cut)?)
        {
            let example = Example { signed, mirrored };
            out.push(Embedded { key: label_key(&clip.label), group: clip.group.clone(), example, cut });
        }
    }
    Ok(out)
}

/// Windows of enrolled signs and of strangers as cosines to the enrolled signs, with which sign it truly is.
///
/// They are for setting the threshold: whole clips and cut ones, half of the signs enrolled.
///
/// # Shapes
/// - returns: `[N]` of `[S]` cosines, and the sign below S, or S for none
pub fn judged(clips: &[Embedded], examples: usize, draws: usize, seed: u64) -> Vec<(Vec<f32>, usize)> {
    let options =
        EnrolmentOptions { examples, enrol_from: vec![], read_from: vec![], signs: None, draws, seed };
    let rng = &mut StdRng::seed_from_u64(seed);
    let mut out = vec![];
    for draw in (0..draws).filter_map(|_| Draw::new(clips, &options, rng)) {
        let half = draw.half();
        let gallery = draw.gallery(half, true, 0.0);
        for (clip, sign) in &draw.read {
            for window in [&clip.example.signed, &clip.cut] {
                let mut cosines = gallery.logits(window);
                cosines.pop();
                out.push((cosines, (*sign).min(half)));
            }
        }
    }
    out
}

/// Which clips enrol which signs, and which are read.
struct Draw<'a> {
    /// `[S]`, in a drawn order.
    enrolled: Vec<Vec<Example>>,
    /// Clips to read, each with its sign.
    read: Vec<(&'a Embedded, usize)>,
}

impl<'a> Draw<'a> {
    /// `None` where not two signs have clips to enrol and to read.
    fn new(clips: &'a [Embedded], options: &EnrolmentOptions, rng: &mut StdRng) -> Option<Self> {
        let within = |groups: &[String], clip: &Embedded| groups.is_empty() || groups.contains(&clip.group);
        let mut by_sign: BTreeMap<&str, Vec<&Embedded>> = BTreeMap::new();
        for clip in clips {
            by_sign.entry(&clip.key).or_default().push(clip);
        }
        let mut signs: Vec<_> = by_sign.into_values().collect();
        signs.shuffle(rng);
        let mut draw = Self { enrolled: vec![], read: vec![] };
        for mut clips in signs {
            clips.shuffle(rng);
            let (from, mut read): (Vec<_>, Vec<_>) =
                clips.into_iter().partition(|clip| within(&options.enrol_from, clip));
            let rest = from.get(options.examples..).unwrap_or_default();
            read.extend(rest);
            read.retain(|clip| within(&options.read_from, clip));
            if from.len() < options.examples || read.is_empty() || options.signs == Some(draw.enrolled.len())
            {
                continue;
            }
            let sign = draw.enrolled.len();
            draw.read.extend(read.into_iter().map(|clip| (clip, sign)));
            draw.enrolled.push(from[..options.examples].iter().map(|clip| clip.example.clone()).collect());
        }
        (draw.enrolled.len() >= 2).then_some(draw)
    }

    /// How many signs are enrolled where strangers are read too.
    fn half(&self) -> usize {
        self.enrolled.len().div_ceil(2)
    }

    /// That of the first signs; without their mirror images the signed ones stand in, which cost more than they do.
    fn gallery(&self, signs: usize, mirror: bool, none: f32) -> Gallery {
        let plain = |e: &Example| Example { mirrored: e.signed.clone(), ..e.clone() };
        let signs: Vec<Vec<Example>> = self.enrolled[..signs]
            .iter()
            .map(|examples| if mirror { examples.clone() } else { examples.iter().map(plain).collect() })
            .collect();
        Gallery::new(signs.iter().map(Vec::as_slice), none)
    }

    fn score(&self, of: fn(&Embedded) -> &[f32], mirror: bool, rule: Rule) -> Scores {
        let all = self.gallery(self.enrolled.len(), mirror, f32::NEG_INFINITY);
        let half = self.half();
        let some = self.gallery(half, mirror, rule.none);
        let (mut right, mut missed, mut confused, mut taken) = (0, 0, 0, 0);
        let (mut known, mut strangers) = (0, 0);
        for (clip, sign) in &self.read {
            let window = of(clip);
            right += usize::from(all.answer(window, 1.0).is_some_and(|(answer, _)| answer == *sign));
            let shown = some.answer(window, rule.temperature).filter(|(_, sure)| *sure >= rule.threshold);
            if *sign < half {
                known += 1;
                missed += usize::from(shown.is_none());
                confused += usize::from(shown.is_some_and(|(answer, _)| answer != *sign));
            } else {
                strangers += 1;
                taken += usize::from(shown.is_some());
            }
        }
        let share = |part: usize, whole: usize| part as f64 / whole.max(1) as f64;
        let (accuracy, taken) = (share(right, self.read.len()), share(taken, strangers));
        Scores {
            accuracy,
            accuracy_least: accuracy,
            missed: share(missed, known),
            confused: share(confused, known),
            taken,
            taken_most: taken,
            ..Scores::default()
        }
    }
}

impl Scores {
    /// Means over draws, their spread, and the worst.
    fn over(each: &[Self]) -> Self {
        let mean = |of: fn(&Self) -> f64| each.iter().map(of).sum::<f64>() / each.len() as f64;
        let spread = |of: fn(&Self) -> f64| {
            let middle = mean(of);
            (each.iter().map(|s| (of(s) - middle).powi(2)).sum::<f64>() / each.len() as f64).sqrt()
        };
        Self {
            accuracy: mean(|s| s.accuracy),
            accuracy_spread: spread(|s| s.accuracy),
            accuracy_least: each.iter().map(|s| s.accuracy).fold(f64::INFINITY, f64::min),
            missed: mean(|s| s.missed),
            confused: mean(|s| s.confused),
            taken: mean(|s| s.taken),
            taken_spread: spread(|s| s.taken),
            taken_most: each.iter().map(|s| s.taken).fold(0.0, f64::max),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Clips of signs at these angles in degrees; each clip a little off, mirrored at the opposite side.
    fn clips(signs: &[f32], each: u8) -> Vec<Embedded> {
        let at = |degrees: f32| vec![degrees.to_radians().cos(), degrees.to_radians().sin()];
        let clip = |degrees: f32, i: u8| {
            let degrees = degrees + f32::from(i) - 3.0;
            let group = if i < 5 { "a" } else { "b" }.to_owned();
            let example = Example { signed: at(degrees), mirrored: at(degrees + 180.0) };
            Embedded { key: degrees.round().to_string(), group, example, cut: at(degrees + 15.0) }
        };
        let mut all = vec![];
        for (n, degrees) in signs.iter().enumerate() {
            all.extend((0..each).map(|i| Embedded { key: n.to_string(), ..clip(*degrees, i) }));
        }
        all
    }

    fn options(enrol: &[&str], read: &[&str], signs: Option<usize>) -> EnrolmentOptions {
        let groups = |names: &[&str]| names.iter().map(|g| (*g).to_owned()).collect();
        EnrolmentOptions {
            examples: 3,
            enrol_from: groups(enrol),
            read_from: groups(read),
            signs,
            draws: 1,
            seed: 1,
        }
    }

    #[test]
    fn clips_that_enrol_are_never_read() {
        let clips = clips(&[0.0, 40.0, 80.0, 120.0], 8);
        #[track_caller]
        fn check(clips: &[Embedded], options: &EnrolmentOptions, signs: usize, read: usize) {
            let draw = Draw::new(clips, options, &mut StdRng::seed_from_u64(2)).unwrap();
            assert_eq!((draw.enrolled.len(), draw.read.len()), (signs, read));
            for (clip, sign) in &draw.read {
                assert!(!draw.enrolled[*sign].contains(&clip.example), "a clip is in both");
                assert!(options.read_from.is_empty() || options.read_from.contains(&clip.group));
            }
        }
        check(&clips, &options(&[], &[], None), 4, 20);
        check(&clips, &options(&["a"], &["b"], None), 4, 12);
        check(&clips, &options(&["a"], &[], Some(3)), 3, 15);
        let none = Draw::new(&clips, &options(&["c"], &[], None), &mut StdRng::seed_from_u64(2));
        assert!(none.is_none());
    }

    #[test]
    fn the_scores_count_what_they_say() {
        let clips = clips(&[0.0, 60.0, 27.0, 120.0], 8);
        let mut draw = Draw::new(&clips, &options(&[], &[], None), &mut StdRng::seed_from_u64(2)).unwrap();
        // The order that is drawn, made plain: 0° and 60° are enrolled, 27° and 120° are strangers.
        let order: Vec<usize> =
            (0..4).map(|n| draw.read.iter().find(|(c, _)| c.key == n.to_string()).unwrap().1).collect();
        draw.enrolled = order.iter().map(|&i| draw.enrolled[i].clone()).collect();
        draw.read.iter_mut().for_each(|(_, sign)| *sign = order.iter().position(|i| i == sign).unwrap());
        let rule = |none: f32| Rule { none, temperature: 0.01, threshold: 0.7 };
        let score = |of: fn(&Embedded) -> &[f32], mirror, none: f32| draw.score(of, mirror, rule(none));
        let whole = score(|c| &c.example.signed, true, 0.95);
        assert_eq!((whole.accuracy, whole.missed, whole.confused, whole.taken), (1.0, 0.0, 0.0, 0.0));
        // At a lower bar 27° is taken for a neighbour, and 120° (60° away) is not.
        let low = score(|c| &c.example.signed, true, 0.7);
        assert!(low.taken > 0.2 && low.taken <= 0.5, "{low:?}");
        // A mirror image counts for less than what was signed.
        let mirrored = |mirror| score(|c| &c.example.mirrored, mirror, 0.85);
        assert_eq!((mirrored(true).accuracy, mirrored(true).missed), (1.0, 0.0));
        assert_eq!(mirrored(false).missed, 1.0, "nobody with the other hand is known");
        let judged = judged(&clips, 3, 2, 5);
        assert_eq!(judged.len(), 2 * 2 * 20);
        assert!(judged.iter().all(|(cosines, sign)| cosines.len() == 2 && *sign <= 2));
    }
}
