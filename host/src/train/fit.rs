//! The training loop: any network, any loss; AdamW, a cosine schedule, and a moving average of the weights.
//!
//! A run that is killed goes on from its last checkpoint and ends with the very bytes of one that was not:
//! batches follow from their step, and so does what is random in the network, so that no generator has a
//! state to keep.

use std::panic::resume_unwind;
use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use burn::grad_clipping::GradientClippingConfig;
use burn::module::{AutodiffModule, Module};
use burn::optim::adaptor::OptimizerAdaptor;
use burn::optim::{AdamW, AdamWConfig, GradientsAccumulator, GradientsParams, Optimizer};
use burn::record::{FullPrecisionSettings, NamedMpkBytesRecorder, Record, Recorder};
use burn::tensor::Tensor;
use burn::tensor::backend::{AutodiffBackend, Backend};

use super::average::{Weights, blend};
use super::checkpoint::{self, Checkpoint, Identity};
use super::events::Events;
use super::plan::{Plan, Save, step_seed};
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

    /// The batch of a step, or of a part of one where a plan gathers several. It follows from its number alone
    /// (see [`step_seed`]), so that a run that was killed goes on with the very batches; it is made on a thread of
    /// its own.
    fn batch(&self, step: usize) -> Self::Batch;

    /// The loss `[1]`, and named parts of it `[1]` for the log, which most tasks have none of. Where a plan has
    /// several batches learnt at once ([`Plan::at_once`]), it draws nothing from the backend's own generator, which
    /// all threads share.
    fn loss(&self, net: &Self::Net, batch: Self::Batch) -> (Tensor<B, 1>, Parts<B>);
}

/// Named parts of a loss, each `[1]`. They are on the device until the log wants them.
pub type Parts<B> = Vec<(&'static str, Tensor<B, 1>)>;

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
/// then but for its shape. Seed the backend before `net` is made: burn draws weights when they are first
/// looked at, which is here. The checkpoint stays in the end, so that a run of several networks that is
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
        let each = plan.accumulate;
        let all = from * each..plan.steps * each;
        scope.spawn(move || all.into_iter().try_for_each(|batch| send.send(task.batch(batch))));
        for step in from..plan.steps {
            let (mut gathered, mut looked) = (GradientsAccumulator::new(), None);
            for first in (0..each).step_by(plan.at_once) {
                // Batches draw from the seed itself, dropout from the seed turned over.
                B::seed(&device, step_seed(!plan.seed, step * each + first));
                let group = batches.iter().take(plan.at_once.min(each - first)).collect();
                for Part { gradients, loss, parts } in learnt(&run.net, task, group, each) {
                    gathered.accumulate(&run.net, gradients);
                    // The parts are those of the last batch: they are for the log.
                    looked = Some((looked.map_or(loss.clone(), |(sum, _)| sum + loss), parts));
                }
            }
            // Where no batch came its producer broke down, which ends the scope.
            let Some((loss, parts)) = looked else { break };
            run.look(step, &loss, parts)?;
            run.learn(gathered.grads());
            if step.is_multiple_of(LOOK_EVERY) {
                bar.set_message(run.told());
            }
            bar.inc(1);
            if bar.is_hidden() && run.step.is_multiple_of(SAY_EVERY) {
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

/// What a batch teaches.
struct Part<B: AutodiffBackend> {
    gradients: GradientsParams,
    /// `[1]`, its share of the step's.
    loss: Tensor<B, 1>,
    parts: Parts<B>,
}

/// What batches teach, each on a thread of its own where there are several; a step has `each` of them.
fn learnt<B: AutodiffBackend, T: Task<B>>(
    net: &T::Net,
    task: &T,
    batches: Vec<T::Batch>,
    each: usize,
) -> Vec<Part<B>> {
    let learn = move |net: &T::Net, batch| {
        let (loss, parts) = task.loss(net, batch);
        let loss = loss / each as f32;
        let gradients = GradientsParams::from_grads(loss.backward(), net);
        Part { gradients, loss: loss.detach(), parts }
    };
    if batches.len() == 1 {
        return batches.into_iter().map(|batch| learn(net, batch)).collect();
    }
    std::thread::scope(|scope| {
        let begin = |batch| {
            // Graphs that share a parameter are one graph, and only one thread works on that at a time.
            let net = net.clone().fork(&B::Device::default());
            scope.spawn(move || learn(&net, batch))
        };
        let threads: Vec<_> = batches.into_iter().map(begin).collect();
        let end =
            |thread: std::thread::ScopedJoinHandle<_>| thread.join().unwrap_or_else(|e| resume_unwind(e));
        threads.into_iter().map(end).collect()
    })
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
        let regular = step.is_multiple_of(LOOK_EVERY) || step + 1 == self.plan.steps;
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
        if step.is_multiple_of(plan.average_every) {
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

#[cfg(test)]
mod tests {
    use burn::backend::{Autodiff, Flex};
    use burn::nn::{Initializer, Linear, LinearConfig};
    use burn::tensor::TensorData;
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};

    use super::super::events::EVENTS;
    use super::*;

    type B = Autodiff<Flex>;

    /// Learns to add three numbers up; from a step on, its loss may be no number.
    struct Sum {
        breaks_at: usize,
    }

    impl Task<B> for Sum {
        type Net = Linear<B>;
        type Batch = (usize, Vec<f32>);

        fn batch(&self, step: usize) -> Self::Batch {
            let mut rng = StdRng::seed_from_u64(step_seed(7, step));
            (step, (0..24).map(|_| rng.random_range(-1.0..1.0)).collect())
        }

        fn loss(&self, net: &Linear<B>, (step, numbers): Self::Batch) -> (Tensor<B, 1>, Parts<B>) {
            let x = Tensor::<B, 2>::from_data(TensorData::new(numbers, [8, 3]), &Default::default());
            let error = net.forward(x.clone()) - x.sum_dim(1); // [8, 1]
            let loss = error.powf_scalar(2.0).mean();
            let broken = if step >= self.breaks_at { f32::NAN } else { 1.0 };
            (loss.clone() * broken, vec![("square", loss)])
        }
    }

    const SOUND: Sum = Sum { breaks_at: usize::MAX };

    /// A network whose weights are all the same.
    fn net(value: f64) -> Linear<B> {
        LinearConfig::new(3, 1).with_initializer(Initializer::Constant { value }).init(&Default::default())
    }

    fn weights(net: &Linear<Flex>) -> Vec<f32> {
        net.weight.val().into_data().to_vec().unwrap()
    }

    #[test]
    fn a_network_learns_and_what_broke_goes_on_to_the_same_weights() {
        let folder = std::env::temp_dir().join(format!("signpost-fit-{}", std::process::id()));
        let mut plan = Plan { rate: 0.1, save: Save::Steps(7), ..Plan::new("sum", 200, 1) };
        plan.folder = Some(folder.clone());
        let whole = fit(net(0.0), &SOUND, &plan).unwrap();
        let whole_log = std::fs::metadata(folder.join(EVENTS)).unwrap().len();
        forget(&folder).unwrap();
        assert!(weights(&whole).iter().all(|w| (w - 1.0).abs() < 0.05), "{:?}", weights(&whole));

        let broke = fit(net(0.0), &Sum { breaks_at: 45 }, &plan).unwrap_err();
        // From here on the network that is given is not looked at.
        let resumed = fit(net(5.0), &SOUND, &plan);
        let done = fit(net(5.0), &Sum { breaks_at: 0 }, &plan);
        let log = std::fs::metadata(folder.join(EVENTS));
        forget(&folder).unwrap();
        let over = fit(net(5.0), &Sum { breaks_at: 0 }, &plan).unwrap_err();
        std::fs::remove_dir_all(&folder).unwrap();

        let Error::Loss { step, how, last, kept, .. } = &broke else { panic!("{broke}") };
        assert_eq!((*step, *how, last.len()), (60, Astray::NoNumber, 4));
        assert_eq!(*kept, Some((42, checkpoint::path(&folder))));
        assert!(broke.to_string().contains("checkpoint of step 42"), "{broke}");
        assert_eq!(weights(&resumed.unwrap()), weights(&whole));
        assert_eq!(weights(&done.unwrap()), weights(&whole), "nothing was left to train");
        assert_eq!(log.unwrap().len(), whole_log, "every look is in the log once");
        assert!(matches!(over, Error::Loss { step: 0, kept: None, .. }), "{over}");
    }

    #[test]
    fn several_batches_of_a_step_are_learnt_like_one_that_holds_them() {
        /// Each batch is a part of the step's, or all parts at once.
        struct Parted {
            parts: usize,
            whole: bool,
        }
        impl Task<B> for Parted {
            type Net = Linear<B>;
            type Batch = Vec<f32>;

            fn batch(&self, number: usize) -> Vec<f32> {
                let of = if self.whole {
                    number * self.parts..(number + 1) * self.parts
                } else {
                    number..number + 1
                };
                of.flat_map(|number| SOUND.batch(number).1).collect()
            }

            fn loss(&self, net: &Linear<B>, numbers: Vec<f32>) -> (Tensor<B, 1>, Parts<B>) {
                let x = TensorData::new(numbers.clone(), [numbers.len() / 3, 3]);
                let x = Tensor::<B, 2>::from_data(x, &Default::default());
                let error = net.forward(x.clone()) - x.sum_dim(1);
                (error.powf_scalar(2.0).mean(), vec![])
            }
        }
        let plan = Plan::new("parts", 20, 1);
        let whole = fit(net(0.2), &Parted { parts: 4, whole: true }, &plan).unwrap();
        let parts = Parted { parts: 4, whole: false };
        let gathered = fit(net(0.2), &parts, &Plan { accumulate: 4, ..plan.clone() }).unwrap();
        let two = Plan { accumulate: 4, at_once: 2, ..plan.clone() };
        let at_once = fit(net(0.2), &parts, &two).unwrap();
        let alone = fit(net(0.2), &parts, &plan).unwrap();
        let far = |a: &Linear<Flex>| {
            weights(a).iter().zip(weights(&whole)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
        };
        assert!(far(&gathered) < 1e-6, "{:?} {:?}", weights(&gathered), weights(&whole));
        assert_eq!(weights(&at_once), weights(&gathered), "threads change nothing");
        assert!(far(&alone) > 1e-4, "a part is not the whole");
    }

    #[test]
    fn a_loss_that_explodes_ends_the_training() {
        let error = fit(net(5.0), &SOUND, &Plan { rate: 50.0, decay: 0.0, ..Plan::new("boom", 2000, 1) })
            .unwrap_err();
        let Error::Loss { step, how: Astray::FarAboveBest, .. } = error else { panic!("{error}") };
        // The rate rises for 100 steps; ten looks far above the best are 180 steps more.
        assert_eq!(step, 280);
        let said = error.to_string();
        assert!(said.contains("boom") && said.contains("rate lower than 50 (--rate)"), "{said}");
    }
}
