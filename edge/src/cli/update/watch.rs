//! What a version on trial shows of itself: frames of its camera, read by its networks, drawn for its screen.

use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::thread;

use boards::Board;
use models::update::proof::Sign;

use crate::Fault;
use crate::cli::input::{Event, Input};
use crate::screen::Canvas;

/// News that may wait.
const QUEUE: usize = 64;

/// A camera that is watched through the networks, on threads of its own. They end with the program.
pub struct Watch {
    news: Receiver<Result<Sign, String>>,
    /// Frames that were read.
    pub frames: u64,
    /// Why nothing more comes.
    pub over: Option<String>,
}

impl Watch {
    /// Watches a source.
    ///
    /// # Errors
    /// [`Fault::Thread`].
    pub fn start(source: &str, board: &Board) -> Result<Self, Fault> {
        let (sender, news) = sync_channel(QUEUE);
        let (source, board) = (source.to_owned(), board.clone());
        let work = move || {
            let told = watch(&source, &board, &mut |sign| sender.send(Ok(sign)).is_ok());
            // A camera that cannot be opened, or a model whose bytes changed.
            let why =
                told.map_or_else(|fault| fault.to_string(), |()| "the camera gave its last frame".into());
            journal::error!("nobody is seen any more: {}", why.as_str());
            // Where nobody listens any more the program ends anyway.
            let _ = sender.send(Err(why));
        };
        const NAME: &str = "watch";
        let spawned = thread::Builder::new().name(NAME.into()).spawn(work);
        spawned.map_err(|source| Fault::Thread { name: NAME.into(), source })?;
        Ok(Self { news, frames: 0, over: None })
    }

    /// Watches what another tells of.
    pub fn listening(news: Receiver<Result<Sign, String>>) -> Self {
        Self { news, frames: 0, over: None }
    }

    /// Hands what was seen since to whoever counts it.
    pub fn tell(&mut self, saw: &mut dyn FnMut(Sign)) {
        loop {
            match self.news.try_recv() {
                Ok(Ok(sign)) => {
                    // Whatever was over goes on.
                    self.over = None;
                    self.frames += u64::from(sign == Sign::Inference);
                    saw(sign);
                }
                Ok(Err(why)) => self.over = Some(why),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => {
                    self.over.get_or_insert_with(|| "what watches the camera broke down".into());
                    return;
                }
            }
        }
    }
}

/// Tells of each frame, of its landmarks, and of the picture that was drawn with it, until nobody listens.
fn watch(source: &str, board: &Board, tell: &mut dyn FnMut(Sign) -> bool) -> Result<(), Fault> {
    let mut input = Input::open(source, board)?;
    let mut canvas = Canvas::new(board.screen.width_px, board.screen.height_px);
    let whole = [0, 0, canvas.width(), canvas.height()];
    while let Some(event) = input.next()? {
        let seen = match event {
            Event::Seen(seen) => seen,
            Event::Lost { why, .. } => {
                journal::warn!("the camera is gone: {}", why.as_str());
                continue;
            }
            Event::Back(back) => {
                let [width, height] = back.size;
                journal::info!("the camera is back: {} × {} at {} Hz", width, height, back.fps);
                continue;
            }
            Event::Quiet(_) => continue,
        };
        // A pose that no camera's frame belongs to proves nothing about a camera.
        let Some(frame) = &seen.frame else { continue };
        canvas.picture(&frame.rgb, (frame.width, frame.height), whole);
        if ![Sign::Frame, Sign::Inference, Sign::Picture].into_iter().all(&mut *tell) {
            break;
        }
    }
    Ok(())
}
