//! SignX's blocks, losses, sampler and search beside PyTorch: see `tests/parity/signx/make.py`, which made what is
//! expected here.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::collections::HashMap;
use std::convert::Infallible;
use std::fs;
use std::path::Path;

use burn::backend::{Autodiff, Flex};
use burn::module::{AutodiffModule, Param};
use burn::tensor::activation::softmax;
use burn::tensor::backend::AutodiffBackend;
use burn::tensor::{Distribution, Int, TensorData};
use edge::engine::{self, Backend, Engine};
use host::nn::{Drops, load, save};
use host::signx::decode::Search;
use host::signx::film::MARKS;
use host::signx::loss::{self, Balance, Noised, Targets};
use host::signx::{
    AlphaBar, CloserConfig, Diffusion, Frames, Pose2Gloss, Pose2GlossConfig, ShrinkConfig, Size,
    SpatialConfig, Video2Gloss, Video2Pose, Video2PoseConfig, closer, decode, find,
};
use models::translator::{
    BEGIN, Decoding, END, Encoded, Networks, Session, Shaping, Sizes, StepInput, StepOutput, Steps,
};
use safetensors::SafeTensors;

type B = Autodiff<Flex>;
type Tensor<const D: usize> = burn::tensor::Tensor<B, D>;

/// Largest differences that rounding explains: of values, and of gradients by the largest of them.
const VALUE: f32 = 1e-4;
const GRADIENT: f32 = 1e-3;

const SIZE: Size = Size { width: 8, heads: 2, inner: 12, layers: 2 };
const DIFFUSION: Diffusion = Diffusion { schedule: AlphaBar::Cosine, levels: 20, from: 10, steps: 3 };
/// Clips, and the frames and tokens of each.
const SHRINKS: [ShrinkConfig; 2] =
    [ShrinkConfig { by: 4, to: 5, residuals: 0 }, ShrinkConfig { by: 2, to: 6, residuals: 1 }];
const CLIPS: usize = 2;
const FRAMES: usize = 6;
const TOKENS: usize = 6;
/// Values of the latent, and tokens that are known.
const LATENT: usize = 10;
const CODES: usize = 9;

fn file(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("parity/signx").join(name)).unwrap()
}

/// What PyTorch said.
struct Said(HashMap<String, (Vec<usize>, Vec<f32>)>);

impl Said {
    fn read() -> Self {
        let bytes = file("said.safetensors");
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let values = |view: safetensors::tensor::TensorView| {
            let numbers = view.data().chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap()));
            (view.shape().to_vec(), numbers.collect())
        };
        Self(tensors.tensors().into_iter().map(|(name, view)| (name, values(view))).collect())
    }

    fn numbers(&self, name: &str) -> &[f32] {
        &self.0[name].1
    }

    fn shaped<const D: usize>(&self, name: &str, shape: [usize; D]) -> Tensor<D> {
        Tensor::from_data(TensorData::new(self.0[name].1.clone(), shape), &Default::default())
    }

    fn tensor<const D: usize>(&self, name: &str) -> Tensor<D> {
        self.shaped(name, self.0[name].0.clone().try_into().unwrap())
    }

    fn frames(&self) -> Frames<B> {
        Frames { numbers: self.tensor("numbers"), there: self.tensor("there") }
    }

    /// Compares a value; differences are to the largest number, where it is above 1.
    #[track_caller]
    fn check<const D: usize>(&self, name: &str, found: Tensor<D>, limit: f32) {
        let found: Vec<f32> = found.into_data().convert::<f32>().to_vec().unwrap();
        let expect = self.numbers(name);
        assert_eq!(found.len(), expect.len(), "{name}");
        let largest = expect.iter().fold(1.0_f32, |a, b| a.max(b.abs()));
        let far = found.iter().zip(expect).map(|(a, b)| (a - b).abs() / largest);
        let far = far.fold(0.0, |a: f32, b| if b.is_nan() { b } else { a.max(b) });
        assert!(far < limit, "{name}: {far} from PyTorch");
        // Nothing at all would be as near to nothing.
        assert!(expect.iter().any(|v| v.abs() > 10.0 * limit), "{name} says nothing");
    }

    #[track_caller]
    fn check_gradient<const D: usize>(
        &self,
        name: &str,
        of: &Tensor<D>,
        gradients: &<B as AutodiffBackend>::Gradients,
    ) {
        let gradient = of.grad(gradients).unwrap_or_else(|| panic!("{name}: no gradient came"));
        self.check(name, Tensor::from_inner(gradient), GRADIENT);
    }
}

fn net() -> Pose2Gloss<B> {
    let config = Pose2GlossConfig {
        tracks: vec![3, 4, 2, 5, 2],
        width: SIZE.width,
        heads: SIZE.heads,
        inner: SIZE.inner,
        reach: 0,
        latent: LATENT,
        noise: Size { layers: 3, ..SIZE },
        codebook: SIZE,
        codes: CODES,
    };
    load(config.init::<B>(&Default::default()), file("pose2gloss.safetensors")).unwrap()
}

fn video_net() -> Video2Pose<B> {
    let temporal = Size { layers: 1, ..SIZE };
    let spatial = SpatialConfig {
        picture: 8,
        shrinks: vec![],
        patch: 4,
        size: SIZE,
        gathers: false,
        points: 0,
        closer: None,
    };
    let config = Video2PoseConfig { spatial, temporal };
    load(config.init::<B>(&net().encode, &Default::default()), file("video2pose.safetensors")).unwrap()
}

fn targets() -> Targets<B> {
    Targets::new(vec![vec![3, 5, 3, 5, 8, END], vec![7, 4, END]], &Default::default())
}

/// What the decoder is told: what was to be said before.
fn told() -> burn::tensor::Tensor<B, 2, Int> {
    let begin = burn::tensor::Tensor::<B, 2, Int>::full([CLIPS, 1], i64::from(BEGIN), &Default::default());
    burn::tensor::Tensor::cat(vec![begin, targets().tokens.narrow(1, 0, TOKENS - 1)], 1)
}

#[test]
fn tracks_become_a_latent_and_what_is_absent_counts_for_nothing() {
    let (said, net, drops) = (Said::read(), net(), &mut Drops::none());
    let frames = said.frames();
    let there = said.shaped("there", [CLIPS * FRAMES, 5]);
    let numbers = said.shaped("numbers", [CLIPS * FRAMES, 16]);
    let features = net.encode.forward(numbers, &there, (&[0, 1, 2, 3, 4], CLIPS), drops);
    said.check("features", features.clone(), VALUE);
    said.check("fused", net.fuse.forward(features, &there, drops), VALUE);
    let latent = net.latent(&frames, drops);
    said.check("latent", latent.clone(), VALUE);

    // Whatever stands where a track is absent. The first clip lacks columns 3 to 6.
    let mut other: Vec<f32> = said.numbers("numbers").to_vec();
    other.chunks_exact_mut(16).take(FRAMES).for_each(|frame| frame[3..7].fill(1e6));
    let device = Default::default();
    let numbers = Tensor::<3>::from_data(TensorData::new(other, [CLIPS, FRAMES, 16]), &device);
    let other = net.latent(&Frames { numbers, there: frames.there.clone() }, drops);
    assert_eq!(other.into_data(), latent.clone().into_data());

    // A track that no clip has is left out, which is as if it stood there and nobody looked at it.
    let alone =
        Frames { numbers: frames.numbers.clone().narrow(0, 0, 1), there: frames.there.narrow(0, 0, 1) };
    assert_eq!(alone.tracks(), [0, 2, 3, 4]);
    let far = (net.latent(&alone, drops) - latent.narrow(0, 0, FRAMES)).abs().max().into_scalar();
    assert!(far < 1e-6, "{far}");
}

#[test]
fn noise_is_mixed_in_and_told_again() {
    let (said, net, drops) = (Said::read(), net(), &mut Drops::none());
    for (name, schedule) in [("schedule.linear", AlphaBar::Linear), ("schedule.cosine", AlphaBar::Cosine)] {
        let left: Vec<f32> = schedule.levels(1000).iter().step_by(50).map(|v| *v as f32).collect();
        said.check(name, Tensor::<1>::from_floats(&left[..], &Default::default()), 1e-6);
    }
    let seen = said.frames().seen();
    let latent = said.shaped("latent", [CLIPS * FRAMES, LATENT]);
    said.check("noise.predicted", net.noise.forward(latent.clone(), &[3, 17], &seen, drops), VALUE);

    let mixed_in = said.shaped("noise.mixed_in", [CLIPS * FRAMES, LATENT]);
    let latent = latent.require_grad();
    let left = AlphaBar::Cosine.levels(20);
    let noised = Noised::new(latent.clone(), mixed_in.clone(), vec![5, 18], &left);
    said.check("noise.noised", noised.latent.clone(), VALUE);
    let guess = net.noise.forward(noised.latent, &noised.levels, &seen, drops);
    said.check("noise.guess", guess.clone(), VALUE);
    let through = loss::noise(guess.clone(), mixed_in.clone(), &seen).backward();
    assert!(latent.grad(&through).is_none(), "the encoder learns nothing of how noise is told");
    let guess = guess.detach().require_grad();
    let loss = loss::noise(guess.clone(), mixed_in, &seen);
    said.check("noise.loss", loss.clone(), VALUE);
    said.check_gradient("noise.gradient", &guess, &loss.backward());
}

#[test]
fn the_sampler_goes_the_way_of_ddim() {
    let (said, net, drops) = (Said::read(), net(), &mut Drops::none());
    let seen = said.frames().seen();
    let mut way = vec![];
    let latent = said.shaped("latent", [CLIPS * FRAMES, LATENT]);
    let end = DIFFUSION.denoise(latent, |z, level| {
        way.push(z.clone());
        net.noise.forward(z, &[level; CLIPS], &seen, drops)
    });
    for (i, z) in way.into_iter().skip(1).chain([end]).enumerate() {
        said.check(&format!("trajectory.{i}"), z, VALUE);
    }
}

#[test]
fn the_decoder_says_what_pytorch_says_and_gradients_go_through_everything() {
    let (said, net, drops) = (Said::read(), net(), &mut Drops::none());
    let frames = said.frames();
    let memory = net.codebook.memory(net.read(&frames, &DIFFUSION, drops), CLIPS);
    said.check("memory", memory.clone(), VALUE);
    let logits = net.codebook.forward(told(), &memory, &frames.seen(), drops);
    said.check("logits", logits.clone(), VALUE);
    let loss = loss::text(logits, &targets(), 0.1);
    said.check("text.loss", loss.clone(), VALUE);
    let gradients = loss.backward();
    let of = |name: &str| format!("text.gradient.{name}");
    let into = &net.encode.tracks[0].into.weight;
    said.check_gradient(&of("encode.tracks.0.into.weight"), &into.val(), &gradients);
    let key = &net.fuse.attention.key.weight;
    said.check_gradient(&of("fuse.attention.key.weight"), &key.val(), &gradients);
    let skip = net.noise.layers[2].skip.as_ref().unwrap();
    said.check_gradient(&of("noise.layers.2.skip.weight"), &skip.weight.val(), &gradients);
    let codes = &net.codebook.codes.weight;
    said.check_gradient(&of("codebook.codes.weight"), &codes.val(), &gradients);
    assert!(net.encode.tracks[0].standard.mean.val().grad(&gradients).is_none(), "it is not learnt");
}

#[track_caller]
fn check_loss(name: &str, loss: impl FnOnce(Tensor<2>) -> Tensor<1>) {
    let said = Said::read();
    let raw = said.shaped("raw", [CLIPS * TOKENS, CODES]).require_grad();
    let found = loss(raw.clone());
    said.check(&format!("raw.{name}.loss"), found.clone(), VALUE);
    said.check_gradient(&format!("raw.{name}.gradient"), &raw, &found.backward());
}

#[test]
fn losses_and_their_gradients_are_those_of_pytorch() {
    let codes = net().codebook.codes.weight.val();
    check_loss("text", |raw| loss::text(raw, &targets(), 0.1));
    check_loss("word", |raw| loss::word(softmax(raw, 1), codes.clone(), &targets()));
    check_loss("ngram", |raw| loss::ngram(softmax(raw, 1), &targets()));
    let said = Said::read();
    let raw = said.shaped("raw", [CLIPS * TOKENS, CODES]);
    let gradients = loss::word(softmax(raw.require_grad(), 1), codes.clone(), &targets()).backward();
    assert!(codes.grad(&gradients).is_none(), "a codebook would make all its rows alike");

    let memory = said.shaped("memory", [CLIPS * FRAMES, SIZE.width]).require_grad();
    let poses = loss::mean_of(memory.clone(), &said.frames().seen());
    let contrast = loss::contrast(poses, &codes, &targets(), 0.07);
    said.check("contrast.loss", contrast.clone(), VALUE);
    let gradients = contrast.backward();
    said.check_gradient("contrast.gradient.memory", &memory, &gradients);
    said.check_gradient("contrast.gradient.codes", &codes, &gradients);

    let losses = said.tensor::<1>("total.losses").require_grad();
    let mut balance = Balance::<B>::new(5, &Default::default());
    balance.logs = balance.logs.map(|_| said.tensor::<1>("total.logs").require_grad());
    let total = balance.total(losses.clone(), said.numbers("total.weights"));
    said.check("total.loss", total.clone(), VALUE);
    let gradients = total.backward();
    said.check_gradient("total.gradient.losses", &losses, &gradients);
    said.check_gradient("total.gradient.logs", &balance.logs.val(), &gradients);
}

/// A clip's memory and which of its frames are there.
fn clip(said: &Said, clip: usize) -> [burn::tensor::Tensor<Flex, 2>; 2] {
    let memory = said.shaped("memory", [CLIPS * FRAMES, SIZE.width]).narrow(0, clip * FRAMES, FRAMES);
    [memory, said.frames().seen().narrow(0, clip, 1)].map(Tensor::inner)
}

#[test]
fn token_by_token_the_decoder_says_what_it_says_of_all() {
    let (said, net) = (Said::read(), net());
    for c in 0..CLIPS {
        let [memory, seen] = clip(&said, c);
        let codebook = net.codebook.valid();
        let mut past = codebook.begin(&memory, &seen);
        // Both begin alike; then the second goes on with the first one's beginning, and they change places.
        let steps = [([0, 1], [BEGIN; 2]), ([0, 0], [3, 7]), ([1, 0], [4, 5])];
        let last = steps.map(|(follows, tokens)| codebook.step(&follows, &tokens, &mut past));
        for (n, tokens) in [[BEGIN, 7, 4], [BEGIN, 3, 5]].into_iter().enumerate() {
            let tokens = TensorData::new(tokens.map(i64::from).to_vec(), [1, 3]);
            let tokens = burn::tensor::Tensor::<Flex, 2, Int>::from_data(tokens, &Default::default());
            let whole = codebook.forward(tokens, &memory, &seen, &mut Drops::none()).narrow(0, 2, 1);
            let far = (whole - last[2].clone().narrow(0, n, 1)).abs().max().into_scalar();
            assert!(far < VALUE, "clip {c}, sequence {n}: {far}");
        }
    }
}

#[track_caller]
fn check_search(clip_number: usize, name: &str, shaping: Shaping) {
    let (said, codebook) = (Said::read(), net().codebook.valid());
    let [memory, seen] = clip(&said, clip_number);
    let name = format!("search.{clip_number}.{name}");
    let expect: Vec<u32> = said.numbers(&name).iter().map(|v| *v as u32).collect();
    // As wide as there are sequences.
    let how = Decoding::Beam { beam: 250, penalty: 0.7 };
    let found = decode::tokens(&codebook, &memory, None, &seen, Search { longest: 3, how, shaping });
    assert_eq!(found, expect, "{name}");
}

#[test]
fn a_wide_beam_finds_what_enumeration_finds() {
    for clip in 0..CLIPS {
        check_search(clip, "plain", Shaping::NONE);
        check_search(clip, "shaped", Shaping { temperature: 0.7, repetition: 2.5 });
    }
    let said = Said::read();
    assert_ne!(said.numbers("search.0.plain"), said.numbers("search.0.shaped"), "shaping is of consequence");
    let (codebook, [memory, seen]) = (net().codebook.valid(), clip(&said, 0));
    let search = |how| Search { longest: 3, how, shaping: Shaping::NONE };
    let tokens = |how| decode::tokens(&codebook, &memory, None, &seen, search(how));
    let narrow = Decoding::Beam { beam: 1, penalty: 0.0 };
    assert_eq!(tokens(Decoding::Greedy), tokens(narrow), "greedy is a beam of one");
    let sampled = |seed| Decoding::Sampled { temperature: 1.0, top_k: 50, top_p: 1.0, seed };
    assert_eq!(tokens(sampled(1)), tokens(sampled(1)), "chance follows from the seed");
    assert!((2..20).any(|seed| tokens(sampled(seed)) != tokens(sampled(1))));
    let cold = Decoding::Sampled { temperature: 0.7, top_k: 1, top_p: 0.92, seed: 3 };
    assert_eq!(tokens(cold), tokens(Decoding::Greedy), "of one there is no choice");
}

#[test]
fn a_video_becomes_tracks_and_is_read_by_them() {
    let (said, net, drops) = (Said::read(), video_net(), &mut Drops::none());
    let (video, frames) = (said.tensor::<5>("video"), said.frames());
    let seen = frames.seen();
    let looked = net.spatial.forward(video.clone(), drops);
    said.check("video.frames", looked.clone(), VALUE);
    said.check("video.over_time", net.over_time(looked, &seen, drops), VALUE);
    let given = net.forward(video.clone(), &seen, drops);
    said.check("video.numbers", given.numbers.clone(), VALUE);
    assert_eq!(given.seen().into_data(), seen.clone().into_data());
    let loss = net.loss(net.standardised(video.clone(), &seen, drops), &frames);
    said.check("video.loss", loss.clone(), VALUE);
    let gradients = loss.backward();
    let of = |name: &str| format!("video.gradient.{name}");
    said.check_gradient(&of("spatial.patches.weight"), &net.spatial.patches.weight.val(), &gradients);
    said.check_gradient(&of("spatial.class"), &net.spatial.class.as_ref().unwrap().val(), &gradients);
    let query = &net.temporal[0].attention.query.weight;
    said.check_gradient(&of("temporal.0.attention.query.weight"), &query.val(), &gradients);
    let project = &net.projections[3].linear.weight;
    said.check_gradient(&of("projections.3.linear.weight"), &project.val(), &gradients);

    let reader = Video2Gloss::new(net, self::net());
    let read = reader.read(video, &seen, &DIFFUSION, drops);
    let by_tracks = reader.pose2gloss.read(&given, &DIFFUSION, drops);
    assert_eq!(read.clone().into_data(), by_tracks.into_data());
    let gradients = read.sum().backward();
    assert!(reader.video2pose.spatial.patches.weight.val().grad(&gradients).is_some());
    assert!(reader.pose2gloss.padmatch.project.weight.val().grad(&gradients).is_none(), "it is frozen");
}

#[test]
fn a_hybrid_makes_a_frame_s_feature_of_all_its_places() {
    let said = Said::read();
    let size = Size { layers: 1, ..SIZE };
    let config = SpatialConfig {
        picture: 16,
        shrinks: SHRINKS.into(),
        patch: 1,
        size,
        gathers: true,
        points: 3,
        closer: None,
    };
    let net = load(config.init::<B>(&Default::default()), file("spatial.safetensors")).unwrap();
    let (features, points) = net.look(said.tensor::<5>("hybrid.video"), &mut Drops::none());
    said.check("hybrid.points", points[0].clone(), VALUE);
    said.check("hybrid.frames", features.clone(), VALUE);
    let gradients = features.powi_scalar(2).mean().backward();
    let of = |name: &str| format!("hybrid.gradient.{name}");
    let [first, second] = [0, 1].map(|i| &net.shrinks[i]);
    let weight = first.convolve.linear.weight.val();
    said.check_gradient(&of("shrinks.0.convolve.linear.weight"), &weight, &gradients);
    said.check_gradient(&of("shrinks.1.convolve.norm.gamma"), &second.convolve.norm.gamma.val(), &gradients);
    let weight = second.residuals[0].first.linear.weight.val();
    said.check_gradient(&of("shrinks.1.residuals.0.first.linear.weight"), &weight, &gradients);
    let find = net.find.as_ref().unwrap();
    said.check_gradient(&of("find.known.weight"), &find.known.weight.val(), &gradients);
    said.check_gradient(&of("find.maps.weight"), &find.maps.weight.val(), &gradients);
    said.check_gradient(&of("places"), &net.places.val(), &gradients);
    said.check_gradient(&of("gather.weight"), &net.gather.as_ref().unwrap().weight.val(), &gradients);
}

#[test]
fn hands_are_cut_out_and_looked_at_closer() {
    let (said, device) = (Said::read(), Default::default());
    let frames = said.tensor::<4>("closer.frames");
    let rows = closer::averaging(12, 8);
    let rows = Tensor::<3>::from_data(TensorData::new(rows, [1, 8, 12]), &device);
    said.check("closer.small", closer::sampled(frames.clone(), rows.clone(), rows), VALUE);
    let shrinks =
        vec![ShrinkConfig { by: 2, to: 5, residuals: 0 }, ShrinkConfig { by: 2, to: 6, residuals: 1 }];
    let config = CloserConfig { from: 12, side: 8, shrinks };
    let net = load(config.init::<B>(SIZE.width, &device), file("closer.safetensors")).unwrap();
    let (closest, told) = net.look(frames, said.tensor::<3>("closer.points"));
    said.check("closer.closest", closest.clone(), VALUE);
    said.check("closer.told", told.clone(), VALUE);
    let gradients = (closest.powi_scalar(2).sum() + told.powi_scalar(2).sum()).backward();
    let of = |name: &str| format!("closer.gradient.{name}");
    let first = net.shrinks[0].convolve.linear.weight.val();
    said.check_gradient(&of("shrinks.0.convolve.linear.weight"), &first, &gradients);
    said.check_gradient(&of("find.known.weight"), &net.find.known.weight.val(), &gradients);
    said.check_gradient(&of("find.maps.weight"), &net.find.maps.weight.val(), &gradients);
    said.check_gradient(&of("tells.weight"), &net.tells.weight.val(), &gradients);
}

#[test]
fn places_are_told_in_the_signer_s_own_measure() {
    let said = Said::read();
    let (points, seen) =
        (said.tensor::<3>("measured.points").require_grad(), said.tensor::<2>("measured.seen"));
    let measured = find::measured(points.clone(), &seen);
    said.check("measured", measured.clone(), VALUE);
    let gradients = measured.powi_scalar(2).mean().backward();
    said.check_gradient("measured.gradient", &points, &gradients);
    // Nobody is there, and everybody's shoulders are one.
    let nowhere = find::measured(points.clone() * 0.0, &(seen * 0.0));
    assert!(nowhere.sum().into_scalar().is_finite());
}

/// A network's outputs by an engine.
fn run(engine: &mut dyn Engine, inputs: &[(&[usize], &[f32])]) -> Vec<Vec<f32>> {
    let inputs: Vec<_> =
        inputs.iter().map(|(shape, data)| engine::Tensor::new(shape, data.to_vec()).unwrap()).collect();
    engine.run(&inputs).unwrap().iter().map(|tensor| tensor.data.clone()).collect()
}

/// The exported networks on an engine of the unit.
struct Exported {
    networks: [Box<dyn Engine>; 2],
    sizes: Sizes,
}

impl Networks for Exported {
    type Error = Infallible;

    fn encode(&mut self, source: &[f32], there: &[f32]) -> Result<Encoded, Infallible> {
        let inputs: [(&[usize], &[f32]); 2] = [(&[FRAMES + 2, 16], source), (&[FRAMES + 2, 5], there)];
        let [keys, values, heard] = run(&mut *self.networks[0], &inputs).try_into().unwrap();
        Ok(Encoded { keys, values, heard })
    }

    fn step(&mut self, input: &StepInput) -> Result<StepOutput, Infallible> {
        let (shapes, all) = (self.sizes.step_inputs(), input.all());
        let inputs: [(&[usize], &[f32]); 8] = std::array::from_fn(|i| (shapes[i].as_slice(), all[i]));
        let [next, keys, values] = run(&mut *self.networks[1], &inputs).try_into().unwrap();
        Ok(StepOutput { next, keys, values })
    }
}

#[test]
fn exported_it_says_what_pytorch_says_on_every_engine() {
    let (said, net) = (Said::read(), net().valid());
    let sizes = Sizes { source: FRAMES + 2, target: 6, beam: 2, layers: 2, heads: 2, head: 4 };
    let networks = host::export::signx("parity", &net, &DIFFUSION, &sizes);
    for backend in engine::available() {
        let open = |bytes: &Vec<u8>| engine::open_bytes(bytes, Path::new("parity"), backend, 1).unwrap();
        let mut exported = Exported { networks: networks.each_ref().map(open), sizes };
        for c in 0..CLIPS {
            // Two frames more, in which nobody is.
            let of = |name: &str, width: usize| {
                let mut values = said.numbers(name)[c * FRAMES * width..(c + 1) * FRAMES * width].to_vec();
                values.resize((FRAMES + 2) * width, 0.0);
                values
            };
            let (frames, there) = (of("numbers", 16), of("there", 5));
            let Ok(kept) = exported.encode(&frames, &there);
            let seen: Vec<f32> =
                there.chunks_exact(5).map(|t| t.iter().copied().fold(0.0, f32::max)).collect();
            let mut session = Session::over(&mut exported, sizes, kept, &seen);
            let tokens = [[BEGIN, 3, 5, 3, 5, 8], [BEGIN, 7, 4, END, END, END]][c];
            for (u, token) in tokens.into_iter().enumerate() {
                let Ok(next) = session.step(&[0, 1], &[token; 2]);
                let row = &said.numbers("logits")[(c * TOKENS + u) * CODES..][..CODES];
                let sum = row.iter().map(|v| v.exp()).sum::<f32>().ln();
                for n in 0..2 {
                    let far = row.iter().zip(&next[n * CODES..]).map(|(a, b)| (a - sum - b).abs());
                    let far = far.fold(0.0_f32, |a, b| if b.is_nan() { b } else { a.max(b) });
                    assert!(far < 1e-3, "{backend:?}, clip {c}, token {u}: {far}");
                }
            }
        }
    }
    assert!(engine::available().contains(&Backend::Tract));
}

#[test]
fn exported_its_video_half_gives_the_same_tracks_on_every_engine() {
    const SIDE: usize = 8;
    let said = Said::read();
    let size = Size { layers: 1, ..SIZE };
    let shrinks = vec![ShrinkConfig { by: 2, ..SHRINKS[0] }, SHRINKS[1]];
    let closer = Some(CloserConfig { from: SIDE, side: 4, shrinks: shrinks.clone() });
    let spatial = SpatialConfig { picture: 4, shrinks, patch: 1, size, gathers: true, points: MARKS, closer };
    let mut hybrid =
        Video2PoseConfig { spatial, temporal: size }.init::<B>(&net().encode, &Default::default());
    for places in hybrid.projections.iter_mut().filter_map(|track| track.places.as_mut()) {
        // They begin as none.
        let some = Distribution::Uniform(-0.1, 0.1);
        places.weight = Param::from_tensor(Tensor::random(places.weight.dims(), some, &Default::default()));
    }
    // What PyTorch gave of the one is in the fixture; the other is held to what it gives itself.
    let (video, seen) = (said.tensor::<5>("video"), said.frames().seen());
    let own = hybrid.forward(video.clone(), &seen, &mut Drops::none()).numbers;
    let own: Vec<f32> = own.into_data().to_vec().unwrap();
    for (which, net, expect) in
        [("patches", video_net(), said.numbers("video.numbers")), ("hybrid", hybrid, &own)]
    {
        let networks = host::export::video2pose("parity", &net.valid(), &[0, 1, 2, 3, 4], FRAMES + 2);
        for backend in engine::available() {
            let open = |bytes: &Vec<u8>| engine::open_bytes(bytes, Path::new("parity"), backend, 1).unwrap();
            let [mut look, mut give] = networks.each_ref().map(open);
            for c in 0..CLIPS {
                let mut seen = said.frames().seen().into_data().to_vec::<f32>().unwrap()
                    [c * FRAMES..(c + 1) * FRAMES]
                    .to_vec();
                let mut features = vec![];
                for t in 0..FRAMES {
                    let pixels = SIDE * SIDE * 3;
                    let picture = &said.numbers("video")[(c * FRAMES + t) * pixels..][..pixels];
                    let [feature] = run(&mut *look, &[(&[SIDE, SIDE, 3], picture)]).try_into().unwrap();
                    features.extend(feature);
                }
                // Two frames more, in which nobody is.
                features.resize((FRAMES + 2) * net.width(), 0.0);
                seen.resize(FRAMES + 2, 0.0);
                let inputs: [(&[usize], &[f32]); 2] =
                    [(&[FRAMES + 2, net.width()], &features), (&[FRAMES + 2, 1], &seen)];
                let [given] = run(&mut *give, &inputs).try_into().unwrap();
                for t in (0..FRAMES).filter(|t| seen[*t] > 0.0) {
                    let row = &expect[(c * FRAMES + t) * 16..][..16];
                    let far = row.iter().zip(&given[t * 16..]).map(|(a, b)| (a - b).abs());
                    let far = far.fold(0.0_f32, |a, b| if b.is_nan() { b } else { a.max(b) });
                    assert!(far < 1e-3, "{which}, {backend:?}, clip {c}, frame {t}: {far}");
                }
            }
        }
    }
}

#[test]
fn weights_are_written_as_they_were_read() {
    let bytes = file("pose2gloss.safetensors");
    let again = load(net(), save(&net())).unwrap();
    let written = save(&again);
    let [ours, theirs] = [&written, &bytes].map(|bytes| SafeTensors::deserialize(bytes).unwrap());
    assert_eq!(ours.len(), theirs.len());
    for (name, view) in theirs.tensors() {
        assert_eq!(ours.tensor(&name).unwrap().data(), view.data(), "{name}");
    }
}
