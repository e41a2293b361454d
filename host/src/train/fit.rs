//! The training loop: any network, any loss; AdamW, a cosine schedule, and a moving average of the weights.
//!
//! A run that is killed goes on from its last checkpoint and ends with the very bytes of one that was not:
//! batches follow from their step, and so does what is random in the network, so that no generator has a
//! state to keep.

use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use burn::grad_clipping::GradientClippingConfig;
use burn::module::{AutodiffModule, Module};
use burn::optim::adaptor::OptimizerAdaptor;
use burn::optim::{AdamW, AdamWConfig, GradientsParams, Optimizer};
use burn::record::{FullPrecisionSettings, NamedMpkBytesRecorder, Record, Recorder};
use burn::tensor::Tensor;
use burn::tensor::backend::{AutodiffBackend, Backend};
use models::manifest::sha256;

use super::average::{Weights, blend, shapes};
use super::checkpoint::{self, Checkpoint, Identity};
use super::events::Events;
use super::watch::{Astray, LOOK_EVERY, Watch};
use crate::{Error, ui};

/// The backend without gradients.
pub type Plain<B> = <B as AutodiffBackend>::InnerBackend;
/// A task's network without gradients.
pub type PlainNet<B, T> = <<T as Task<B>>::Net as AutodiffModule<B>>::InnerModule;

/// Where there is no terminal for a bar, a line tells the progress every so many steps.
const SAY_EVERY: usize = 200;
/// Batches that are made ahead.
const AHEAD: usize = 4;

/// What is trained: a network, its batches and its loss.
pub trait Task<B: AutodiffBackend>: Sync {
    /// The network.
    type Net: AutodiffModule<B>;
    /// What a step learns from, before it is on the device.
    type Batch: Send;

    /// The batch of a step. It follows from the step alone (see [`step_seed`]), so that a run that was
    /// killed goes on with the very batches; it is made on a thread of its own.
    fn batch(&self, step: usize) -> Self::Batch;

    /// The loss `[1]`, and named parts of it `[1]` for the log, which most tasks have none of.
    fn loss(&self, net: &Self::Net, batch: Self::Batch) -> (Tensor<B, 1>, Parts<B>);
}

/// Named parts of a loss, each `[1]`. They are on the device until the log wants them.
pub type Parts<B> = Vec<(&'static str, Tensor<B, 1>)>;

/// How a run goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What progress and errors call it.
    pub name: String,
    /// Steps of training.
    pub steps: usize,
    /// What is random in the network follows from it, and the step.
    pub seed: u64,
    /// The highest learning rate.
    pub rate: f64,
    /// The share of the steps in which the rate rises.
    pub warm_up: f64,
    /// Decoupled weight decay.
    pub decay: f32,
    /// The largest norm of a parameter's gradient.
    pub clip: f32,
    /// The weights enter their average every so many steps (Polyak and Juditsky 1992).
    pub average_every: usize,
    /// What the average keeps of itself then; less at first.
    pub average_keeps: f64,
    /// What the batches are made of and how, in a word; a checkpoint of other data is refused.
    pub data: String,
    /// Where checkpoints and the log go; none are written without it.
    pub folder: Option<PathBuf>,
    /// When a checkpoint is written.
    pub save: Save,
}

/// When a checkpoint is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Save {
    /// Every so many steps.
    Steps(usize),
    /// When so much time has passed since the last.
    Time(Duration),
}

impl Plan {
    /// A plan with the settings that the shipped models were found with.
    pub fn new(name: impl Into<String>, steps: usize, seed: u64) -> Self {
        Self {
            name: name.into(),
            steps,
            seed,
            rate: 3e-3,
            warm_up: 0.05,
            decay: 0.02,
            clip: 1.0,
            average_every: 5,
            average_keeps: 0.96,
            data: String::new(),
            folder: None,
            save: Save::Time(Duration::from_secs(300)),
        }
    }

    /// The learning rate of a step: a straight line up, then half a cosine down to nothing (Loshchilov and
    /// Hutter 2017).
    fn rate(&self, step: usize) -> f64 {
        let share = (step + 1) as f64 / self.steps as f64;
        if share < self.warm_up {
            return self.rate * share / self.warm_up;
        }
        let down = (share - self.warm_up) / (1.0 - self.warm_up);
        self.rate * 0.5 * (1.0 + (std::f64::consts::PI * down).cos())
    }

    fn warming_up(&self, step: usize) -> bool {
        ((step + 1) as f64) < self.warm_up * self.steps as f64
    }

    /// What a checkpoint of this run is known by: all that its result follows from.
    fn identity<B: Backend, M: Module<B>>(&self, net: &M) -> Identity {
        let pair = |name: &str, value: &dyn std::fmt::Display| (name.to_owned(), value.to_string());
        vec![
            pair("recipe", &self.name),
            pair("seed", &self.seed),
            pair("steps", &self.steps),
            pair("rate", &self.rate),
            pair("warm-up", &self.warm_up),
            pair("decay", &self.decay),
            pair("clip", &self.clip),
            pair("average", &format!("{} every {}", self.average_keeps, self.average_every)),
            pair("network", &sha256(shapes::<B, M>(net).as_bytes())),
            pair("data", &self.data),
        ]
    }
}

/// A seed for each step of a run (SplitMix64, Steele et al. 2014).
pub fn step_seed(seed: u64, step: usize) -> u64 {
    let mixed = |x: u64| {
        let z = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    mixed(mixed(seed) ^ step as u64)
}

/// Forgets a run: its checkpoint is removed.
///
/// # Errors
/// Where it cannot be removed.
pub fn forget(folder: &Path) -> Result<(), Error> {
    checkpoint::remove(folder)
}

/// Trains a network and gives the average of its weights over the last steps.
///
/// Where the plan's folder holds a checkpoint of this run, it goes on from there; `net` is not looked at
/// then but for its shape. The checkpoint stays in the end, so that a run of several networks that is
/// killed in the second need not train the first again: [`forget`] it when what was trained is written.
///
/// # Errors
/// [`Error::Loss`] where the loss goes astray, [`Error::Checkpoint`] where the folder holds one that is
/// broken or another run's, and [`Error::Io`] where the folder cannot be written.
pub fn fit<B: AutodiffBackend, T: Task<B>>(
    net: T::Net,
    task: &T,
    plan: &Plan,
) -> Result<PlainNet<B, T>, Error> {
    let device = B::Device::default();
    let mut run = Run::<B, T>::begin(net, plan)?;
    let from = run.step;
    let bar = ui::progress_from(from, plan.steps, &plan.name);
    std::thread::scope(|scope| {
        // Batches are made beside the training by one producer, in their order.
        let (send, batches) = sync_channel(AHEAD);
        scope.spawn(move || (from..plan.steps).try_for_each(|step| send.send(task.batch(step))));
        for batch in batches {
            let step = run.step;
            // Batches draw from the seed itself, dropout from the seed turned over.
            B::seed(&device, step_seed(!plan.seed, step));
            let (loss, parts) = task.loss(&run.net, batch);
            run.look(step, &loss, parts)?;
            let gradients = GradientsParams::from_grads(loss.backward(), &run.net);
            run.learn(gradients);
            if step % LOOK_EVERY == 0 {
                bar.set_message(run.told());
            }
            bar.inc(1);
            if bar.is_hidden() && run.step % SAY_EVERY == 0 {
                let (steps, left) = (plan.steps, bar.eta());
                ui::say(format!("{}, {} of {steps} steps, {left:.0?} left", run.told(), run.step));
            }
        }
        Ok::<_, Error>(())
    })?;
    bar.finish_and_clear();
    if run.step > from {
        ui::say(format!("{}, {} steps in {:.0?}", run.told(), run.step - from, bar.elapsed()));
    }
    run.end()
}

/// A run on its way: all that changes from step to step.
struct Run<'a, B: AutodiffBackend, T: Task<B>> {
    plan: &'a Plan,
    identity: Identity,
    net: T::Net,
    average: PlainNet<B, T>,
    optimizer: OptimizerAdaptor<AdamW, T::Net, B>,
    /// The next step.
    step: usize,
    watch: Watch,
    events: Option<Events>,
    /// The last checkpoint: its step, and when it was written or read.
    saved: (Option<usize>, Instant),
    /// The last look: its step, and when it was.
    looked: (usize, Instant),
}

impl<'a, B: AutodiffBackend, T: Task<B>> Run<'a, B, T> {
    fn begin(net: T::Net, plan: &'a Plan) -> Result<Self, Error> {
        let identity = plan.identity::<B, _>(&net);
        let optimizer = AdamWConfig::new()
            .with_weight_decay(plan.decay)
            .with_grad_clipping(Some(GradientClippingConfig::Norm(plan.clip)))
            .init::<B, T::Net>();
        let (average, now) = (net.valid(), Instant::now());
        let mut run = Self {
            plan,
            identity,
            net,
            average,
            optimizer,
            step: 0,
            watch: Watch::default(),
            events: None,
            saved: (None, now),
            looked: (0, now),
        };
        let Some(folder) = &plan.folder else { return Ok(run) };
        if let Some(checkpoint) = Checkpoint::read(folder, &run.identity)? {
            let log = checkpoint.log;
            run = run
                .go_on(checkpoint)
                .map_err(|why| Error::Checkpoint { path: checkpoint::path(folder), why })?;
            ui::say(format!(
                "{}: goes on from step {} of {}, as {} says",
                plan.name,
                run.step,
                plan.steps,
                checkpoint::path(folder).display()
            ));
            run.events = Events::cut(folder, log).map_err(Error::io("write the log in", folder))?;
            if run.events.is_none() {
                ui::say(format!("{}: the log of the steps before is gone", plan.name));
            }
        }
        if run.events.is_none() {
            std::fs::create_dir_all(folder).map_err(Error::io("make the folder", folder))?;
            run.events =
                Some(Events::create(folder, clock()).map_err(Error::io("write the log in", folder))?);
        }
        Ok(run)
    }

    /// Where a checkpoint left off, or what is wrong with its records.
    fn go_on(mut self, checkpoint: Checkpoint) -> Result<Self, String> {
        let Checkpoint { step, watch, net, average, optimizer, .. } = checkpoint;
        self.net = self.net.load_record(unrecorded::<B, _>(net)?);
        self.average = self.average.load_record(unrecorded::<Plain<B>, _>(average)?);
        self.optimizer = self.optimizer.load_record(unrecorded::<B, _>(optimizer)?);
        (self.step, self.watch) = (step, watch);
        (self.saved.0, self.looked.0) = (Some(step), step);
        Ok(self)
    }

    /// Looks at the loss of a step before anything is learnt from it, where it is time to: for the log, for
    /// a checkpoint, and to see whether it goes astray. A checkpoint so holds weights whose loss was sound.
    fn look(&mut self, step: usize, loss: &Tensor<B, 1>, parts: Parts<B>) -> Result<(), Error> {
        let regular = step % LOOK_EVERY == 0 || step + 1 == self.plan.steps;
        let save = self.save_is_due(step);
        if !regular && !save {
            return Ok(());
        }
        let now = number(loss);
        if save && now.is_finite() && !self.watch.is_far() {
            self.save()?;
        }
        if !regular {
            return Ok(());
        }
        let watched = self.watch.look(now, self.plan.warming_up(step));
        self.log(step, now, parts)?;
        watched.map_err(|how| self.astray(how))
    }

    fn save_is_due(&self, step: usize) -> bool {
        let last = self.saved.0.unwrap_or(0);
        self.plan.folder.is_some()
            && step > last
            && match self.plan.save {
                Save::Steps(every) => step - last >= every,
                Save::Time(every) => self.saved.1.elapsed() >= every,
            }
    }

    /// Learns from the gradients of the step, which is then over.
    fn learn(&mut self, gradients: GradientsParams) {
        let (step, plan) = (self.step, self.plan);
        self.net = self.optimizer.step(plan.rate(step), self.net.clone(), gradients);
        if step % plan.average_every == 0 {
            let averaged = (step / plan.average_every) as f64;
            let keeps = plan.average_keeps.min(averaged / (averaged + 10.0));
            self.average = blend(self.average.clone(), &self.net.valid(), keeps);
        }
        self.step = step + 1;
    }

    fn log(&mut self, step: usize, loss: f32, parts: Parts<B>) -> Result<(), Error> {
        let (Some(events), Some(folder)) = (&mut self.events, &self.plan.folder) else { return Ok(()) };
        let mut scalars = vec![("loss", loss), ("rate", self.plan.rate(step) as f32)];
        scalars.extend(parts.iter().map(|(name, part)| (*name, number(part))));
        let (before, at) = std::mem::replace(&mut self.looked, (step, Instant::now()));
        if step > before {
            scalars.push(("steps_per_second", (step - before) as f32 / at.elapsed().as_secs_f32()));
        }
        events.append(clock(), step, &scalars).map_err(Error::io("write the log in", folder))
    }

    /// Writes a checkpoint, where the plan has a folder.
    fn save(&mut self) -> Result<(), Error> {
        let Some(folder) = &self.plan.folder else { return Ok(()) };
        Checkpoint {
            identity: self.identity.clone(),
            step: self.step,
            watch: self.watch.clone(),
            log: self.events.as_ref().map_or(0, Events::length),
            net: recorded::<B, _>(self.net.clone().into_record()),
            average: recorded::<Plain<B>, _>(self.average.clone().into_record()),
            optimizer: recorded::<B, _>(self.optimizer.to_record()),
        }
        .write(folder)?;
        self.saved = (Some(self.step), Instant::now());
        Ok(())
    }

    /// The average, once all steps are done.
    fn end(mut self) -> Result<PlainNet<B, T>, Error> {
        // The last step's weights had no loss yet that could tell.
        if !Weights::of::<Plain<B>, _>(&self.average).finite() {
            return Err(self.astray(Astray::NoNumber));
        }
        if self.saved.0 != Some(self.step) {
            self.save()?;
        }
        Ok(self.average)
    }

    fn astray(&self, how: Astray) -> Error {
        let kept = self.saved.0.zip(self.plan.folder.as_deref().map(checkpoint::path));
        Error::Loss {
            recipe: self.plan.name.clone(),
            step: self.step,
            how,
            last: self.watch.last(),
            rate: self.plan.rate,
            kept,
        }
    }

    fn told(&self) -> String {
        format!("{} (loss {:.3})", self.plan.name, self.watch.smoothed().unwrap_or(f32::NAN))
    }
}

/// The only value of a tensor `[1]`.
fn number<B: Backend>(tensor: &Tensor<B, 1>) -> f32 {
    tensor.clone().into_data().convert::<f32>().iter::<f32>().next().unwrap_or(f32::NAN)
}

/// Seconds since 1970, for the log alone.
fn clock() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64())
}

/// A record in bytes, at full precision and with the parameters' ids: the optimizer knows them by these.
fn recorded<B: Backend, R: Record<B>>(record: R) -> Vec<u8> {
    let recorder = NamedMpkBytesRecorder::<FullPrecisionSettings>::default();
    Recorder::<B>::record(&recorder, record, ()).expect("memory takes all that is written")
}

fn unrecorded<B: Backend, R: Record<B>>(bytes: Vec<u8>) -> Result<R, String> {
    let recorder = NamedMpkBytesRecorder::<FullPrecisionSettings>::default();
    Recorder::<B>::load(&recorder, bytes, &B::Device::default()).map_err(|e| {
        let said = e.to_string();
        format!("it is broken ({})", said.lines().next().unwrap_or_default())
    })
}
