//! The threads camera, vision and language: from a camera's pictures to what is shown and told.
//!
//! They begin and end together. Whatever breaks, all three are opened anew, and until then the screen says that
//! nobody is seen. Frames stay in memory, and of a frame nothing is kept when the next one is there.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use boards::Board;
use models::link::message::{Caption, CaptionKind};
use models::pose::Pose;
use models::store::Store;

use super::heart::Part;
use super::replay::Replay;
use super::shared::{Forgets, News, Read, Shared, Trouble};
use super::state::Hands;
use crate::Fault;
use crate::camera::{self, Camera, Frame};
use crate::cli::input::{self, Input};
use crate::cli::read::Models;
use crate::cli::show;
use crate::language::{Activity, Event, Reader};
use crate::screen::Rig;
use crate::stage::{Stage, Stamp};
use crate::vision::{Holistic, Options};

/// The camera, or a recording in its place.
pub struct Source {
    /// What people are told that it is.
    pub name: String,
    /// Opens it.
    pub open: Box<dyn Fn() -> Result<Box<dyn Camera>, Fault> + Send>,
}

impl Source {
    /// What a command line names: a camera of the machine, a video, or a folder of pictures.
    ///
    /// # Errors
    /// [`Fault::Picture`] for a `.pose` file, which has no pictures to show.
    pub fn named(name: String, wanted: boards::Camera) -> Result<Self, Fault> {
        let path = PathBuf::from(&name);
        if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("pose")) {
            return Err(Fault::Picture { from: name, said: "it has landmarks only".into() });
        }
        let is_device = path.starts_with("/dev");
        let named = name.clone();
        let open = move || -> Result<Box<dyn Camera>, Fault> {
            if is_device { camera::open(&named, &wanted) } else { Ok(Box::new(Replay::open(&path)?)) }
        };
        Ok(Self { name, open: Box::new(open) })
    }
}

/// What reads, and how.
pub struct Reading {
    pub shared: Arc<Shared>,
    pub board: Board,
    pub source: Source,
    pub models: Models,
}

impl Reading {
    /// Reads until the unit ends.
    ///
    /// # Errors
    /// Where something cannot be used that reading needs; people have been told by then.
    pub fn run(&self) -> anyhow::Result<()> {
        let read = self.read();
        self.shared.set_camera_on(false);
        if let Err(error) = &read
            && ![Trouble::Camera, Trouble::Reading].iter().any(|trouble| self.shared.has_trouble(*trouble))
        {
            self.shared.trouble(Trouble::Reading, Some(format!("{error:#}")));
        }
        if self.shared.ending().is_none() {
            self.shared.news.push(News::Sees(false));
        }
        read
    }

    fn read(&self) -> anyhow::Result<()> {
        let options = Options::of(&self.board);
        let mut reader = self.reader(&options).inspect_err(|e| self.cannot(Trouble::Reading, e))?;
        let vision = Store::locate().ok_or(Fault::NoStore).and_then(|store| Holistic::open(&store, &options));
        let vision = vision.inspect_err(|e| self.cannot(Trouble::Reading, e))?;
        self.shared.trouble(Trouble::Reading, None);
        // The camera last: it is on only while somebody looks.
        let camera = (self.source.open)().inspect_err(|e| self.cannot(Trouble::Camera, e))?;
        self.shared.trouble(Trouble::Camera, None);
        journal::info!("reading {}: {}", self.source.name.as_str(), vision.describe().as_str());
        let camera = Watched { camera, shared: Arc::clone(&self.shared), gave: false };
        let vision = Paced { vision, shared: Arc::clone(&self.shared) };
        let shared = Arc::clone(&self.shared);
        let mut input = Input::over(Box::new(camera), None, vision, move |saw| shared.hand_over(saw))?;
        let [width, height, _] = input.about.size;
        reader = reader.in_picture([width, height]);
        let rig = Rig::of(&input.about.layout);
        self.shared.set_camera_on(true);
        self.shared.news.push(News::Sees(true));
        let before = self.shared.vitals().lost;
        let _at_work = self.shared.at_work(Part::Language);
        while let Some(event) = input.next()? {
            if self.shared.ending().is_some() {
                break;
            }
            if self.shared.is_to_forget(Forgets::Language) {
                reader.reset();
            }
            let lost = input.lost();
            {
                let mut vitals = self.shared.vitals();
                vitals.lost = before + lost;
            }
            match event {
                input::Event::Seen(input::Seen { at, frame: Some(frame), pose }) => {
                    self.frame(&mut reader, &rig, at, frame, pose)?;
                }
                input::Event::Seen(_) | input::Event::Quiet(_) => {}
                input::Event::Lost { why, .. } => {
                    self.tell(&reader.interrupt()?);
                    self.shared.set_camera_on(false);
                    self.shared
                        .trouble(Trouble::Camera, Some(format!("{}: {why}; plug it in", self.source.name)));
                    self.shared.news.push(News::Sees(false));
                }
                input::Event::Back(_) => {
                    self.tell(&reader.interrupt()?);
                    self.shared.set_camera_on(true);
                    self.shared.trouble(Trouble::Camera, None);
                    self.shared.news.push(News::Sees(true));
                }
            }
            self.shared.heart().read(self.shared.now());
        }
        Ok(())
    }

    fn frame(
        &self,
        reader: &mut Reader,
        rig: &Rig,
        at: Stamp,
        frame: Frame,
        pose: Pose,
    ) -> Result<(), Fault> {
        let begun = Instant::now();
        let events = reader.read(at, &pose)?;
        self.shared.took("language", begun);
        self.shared.vitals().frames += 1;
        self.tell(&events);
        let hands = match reader.activity() {
            Activity::Rest => Hands::Down,
            Activity::Signing { .. } if reader.sees_hand() => Hands::Up,
            Activity::Signing { .. } => Hands::Settling,
        };
        let somebody = pose.confidence.iter().any(|c| *c > 0.0);
        let words = show::words(reader);
        let read = Read { frame, pose, rig: rig.clone(), words, somebody, hands };
        self.shared.news.push(News::Read(Box::new(read)));
        Ok(())
    }

    /// What was read goes to the screen, and along the cable.
    fn tell(&self, events: &[Event]) {
        for event in events {
            let told = match event {
                Event::Sign(sign) => Some((sign.t, CaptionKind::Sign, sign.text.clone(), sign.confidence)),
                Event::Caption { t, text, confidence } => {
                    Some((*t, CaptionKind::Caption, text.clone(), *confidence))
                }
                Event::Repeat { t, candidates, .. } => {
                    let names = candidates.iter().map(|(name, _)| name.clone()).collect();
                    self.shared.news.push(News::Repeat(names));
                    Some((*t, CaptionKind::Repeat, String::new(), 0.0))
                }
                Event::Utterance { text, .. } => {
                    self.shared.news.push(News::Said(text.clone()));
                    None
                }
                Event::State { .. } | Event::Partial { .. } => None,
            };
            if let Some((t, kind, text, confidence)) = told {
                let at_ms = (t.max(0.0) * 1e3) as u64;
                // Whoever reads too slowly along the cable misses the oldest.
                self.shared.captions.offer(Caption { at_ms, kind, text, confidence });
            }
        }
    }

    /// A reader with every model that can be used; what is wrong with the others is told.
    fn reader(&self, options: &Options) -> Result<Reader, Fault> {
        let (opened, mut faults) = self.models.open_each(options);
        if opened.is_empty() && !faults.is_empty() {
            return Err(faults.swap_remove(0));
        }
        for fault in faults {
            journal::warn!("{}", fault.to_string().as_str());
        }
        opened.reader(&models::pose::Known::Holistic576.layout())
    }

    fn cannot(&self, trouble: Trouble, fault: &Fault) {
        self.shared.trouble(trouble, Some(fault.to_string()));
    }
}

/// A camera whose frames are signs of life, each as soon as it was handed over.
struct Watched {
    camera: Box<dyn Camera>,
    shared: Arc<Shared>,
    /// What was given last is a frame.
    gave: bool,
}

impl Watched {
    /// Whoever asks for more has handed over what was given.
    fn handed_over(&mut self) {
        if std::mem::take(&mut self.gave) {
            self.shared.beat(Part::Camera);
        }
    }
}

impl Camera for Watched {
    fn next(&mut self) -> Result<Option<Frame>, Fault> {
        self.handed_over();
        let frame = self.camera.next()?;
        self.gave = frame.is_some();
        Ok(frame)
    }

    fn event(&mut self) -> Result<Option<camera::Event>, Fault> {
        self.handed_over();
        let event = self.camera.event()?;
        self.gave = matches!(event, Some(camera::Event::Frame(_)));
        Ok(event)
    }

    fn fps(&self) -> f32 {
        self.camera.fps()
    }

    fn size(&self) -> [u32; 2] {
        self.camera.size()
    }

    fn frames(&self) -> Option<u64> {
        self.camera.frames()
    }

    fn is_live(&self) -> bool {
        self.camera.is_live()
    }

    fn lost(&self) -> u64 {
        self.camera.lost()
    }

    fn format(&self) -> Option<String> {
        self.camera.format()
    }
}

/// Vision that reads as many frames as heat lets it, and forgets who has left.
struct Paced<V> {
    vision: V,
    shared: Arc<Shared>,
}

impl<V: Stage<In = Frame, Out = (Frame, Pose)>> Stage for Paced<V> {
    const NAME: &'static str = V::NAME;
    type In = Frame;
    type Out = (Frame, Pose);

    fn step(&mut self, at: Stamp, frame: Frame) -> Result<Option<(Frame, Pose)>, Fault> {
        if self.shared.is_to_forget(Forgets::Vision) {
            self.vision.reset();
        }
        if !self.shared.governor().takes() {
            return Ok(None);
        }
        let begun = Instant::now();
        let seen = self.vision.step(at, frame)?;
        self.shared.took(Self::NAME, begun);
        if seen.is_none() {
            // Nothing will be handed over.
            self.shared.beat(Part::Inference);
        }
        Ok(seen)
    }

    fn reset(&mut self) {
        self.vision.reset();
    }
}
