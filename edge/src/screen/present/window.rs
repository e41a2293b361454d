//! A window on a desktop that plays a signing.

use std::time::{Duration, Instant};

use winit::application::ApplicationHandler;
use winit::event::{ElementState, KeyEvent, WindowEvent};
use winit::event_loop::{ActiveEventLoop, ControlFlow, EventLoop};
use winit::keyboard::{Key, NamedKey};
use winit::window::WindowId;

use super::desktop::{Desktop, no_display};
use crate::Fault;
use crate::screen::playback::Playback;
use crate::screen::{Screen, Theme};

/// Plays a signing in a window until it is closed.
///
/// Space pauses, Return starts again, the arrows step, Escape closes.
///
/// # Errors
/// [`Fault::NoDisplay`] where there is no desktop, or it fails.
pub fn play(playback: &Playback, size: (u32, u32), theme: Theme) -> Result<(), Fault> {
    Desktop::check()?;
    let events = EventLoop::new().map_err(no_display)?;
    let mut player = Player {
        playback,
        size,
        screen: Screen::new(size.0, size.1, theme),
        theme,
        shown: None,
        frame: 0,
        started: Instant::now(),
        paused: false,
        fault: None,
    };
    events.run_app(&mut player).map_err(no_display)?;
    player.fault.map_or(Ok(()), Err)
}

struct Player<'a> {
    playback: &'a Playback<'a>,
    size: (u32, u32),
    screen: Screen,
    theme: Theme,
    shown: Option<Desktop>,
    frame: usize,
    /// When frame 0 was due.
    started: Instant,
    paused: bool,
    fault: Option<Fault>,
}

impl Player<'_> {
    fn open(&mut self, events: &ActiveEventLoop) -> Result<(), Fault> {
        self.shown = Some(Desktop::open(events, self.size, true)?);
        self.started = Instant::now();
        Ok(())
    }

    fn present(&mut self) -> Result<(), Fault> {
        let Some(desktop) = &mut self.shown else { return Ok(()) };
        let Some(size) = desktop.size() else { return Ok(()) };
        if (self.screen.canvas().width(), self.screen.canvas().height()) != size {
            self.screen = Screen::new(size.0, size.1, self.theme);
        }
        self.playback.draw(&mut self.screen, self.frame);
        desktop.present(self.screen.canvas())
    }

    /// The frame that is due now, and when the next one is.
    fn due(&self) -> (usize, Instant) {
        let period = Duration::from_secs_f32(1.0 / self.playback.fps());
        let frame = (self.started.elapsed().as_secs_f32() * self.playback.fps()) as usize;
        (frame.min(self.playback.len()), self.started + period * (frame as u32 + 1))
    }

    /// Goes to a frame and on from there.
    fn seek(&mut self, frame: usize) {
        self.frame = frame.min(self.playback.len());
        self.started = Instant::now() - Duration::from_secs_f32(self.frame as f32 / self.playback.fps());
    }

    fn key(&mut self, key: &Key, events: &ActiveEventLoop) {
        match key {
            Key::Named(NamedKey::Escape) => events.exit(),
            Key::Named(NamedKey::Enter) => {
                self.paused = false;
                self.seek(0);
            }
            Key::Named(NamedKey::Space) => {
                self.paused = !self.paused;
                self.seek(self.frame);
            }
            Key::Named(NamedKey::ArrowLeft) => {
                self.paused = true;
                self.seek(self.frame.saturating_sub(1));
            }
            Key::Named(NamedKey::ArrowRight) => {
                self.paused = true;
                self.seek(self.frame + 1);
            }
            _ => {}
        }
    }
}

impl ApplicationHandler for Player<'_> {
    fn resumed(&mut self, events: &ActiveEventLoop) {
        if self.shown.is_none()
            && let Err(fault) = self.open(events)
        {
            self.fault = Some(fault);
            events.exit();
        }
    }

    fn window_event(&mut self, events: &ActiveEventLoop, _: WindowId, event: WindowEvent) {
        match event {
            WindowEvent::CloseRequested => events.exit(),
            WindowEvent::KeyboardInput {
                event: KeyEvent { logical_key, state: ElementState::Pressed, .. },
                ..
            } => self.key(&logical_key, events),
            WindowEvent::RedrawRequested => {
                if let Err(fault) = self.present() {
                    self.fault = Some(fault);
                    events.exit();
                }
            }
            _ => {}
        }
    }

    fn about_to_wait(&mut self, events: &ActiveEventLoop) {
        let next = if self.paused {
            Instant::now() + Duration::from_millis(50)
        } else {
            let (frame, next) = self.due();
            self.frame = frame;
            next
        };
        if let Some(desktop) = &self.shown {
            desktop.redraw();
        }
        events.set_control_flow(ControlFlow::WaitUntil(next));
    }
}
