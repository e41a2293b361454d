//! A window on a desktop that plays a signing.

use std::time::{Duration, Instant};

use winit::application::ApplicationHandler;
use winit::event::{ElementState, KeyEvent, WindowEvent};
use winit::event_loop::{ActiveEventLoop, ControlFlow, EventLoop};
use winit::keyboard::{Key, NamedKey};
use winit::window::WindowId;

use super::desktop::{Desktop, no_display};
use crate::Fault;
use crate::screen::clock::Wish;
use crate::screen::{Screen, Show, Theme};

/// Plays something in a window until it is closed.
///
/// Space pauses, Return starts again and R does so whenever it is over; left and right step by signs, comma and full
/// stop by frames; minus and plus change the speed; Escape closes.
///
/// # Errors
/// [`Fault::NoDisplay`] where there is no desktop, or it fails.
pub fn play_show(show: &mut dyn Show, size: (u32, u32), theme: Theme) -> Result<(), Fault> {
    Desktop::check()?;
    let events = EventLoop::new().map_err(no_display)?;
    let screen = Screen::new(size.0, size.1, theme);
    let mut player = Player { show, size, screen, theme, shown: None, told: Instant::now(), fault: None };
    events.run_app(&mut player).map_err(no_display)?;
    player.fault.map_or(Ok(()), Err)
}

struct Player<'a> {
    show: &'a mut dyn Show,
    size: (u32, u32),
    screen: Screen,
    theme: Theme,
    shown: Option<Desktop>,
    /// When what is shown was last told the time.
    told: Instant,
    fault: Option<Fault>,
}

impl Player<'_> {
    fn open(&mut self, events: &ActiveEventLoop) -> Result<(), Fault> {
        self.shown = Some(Desktop::open(events, self.size, true)?);
        self.told = Instant::now();
        Ok(())
    }

    fn present(&mut self) -> Result<(), Fault> {
        let Some(desktop) = &mut self.shown else { return Ok(()) };
        let Some(size) = desktop.size() else { return Ok(()) };
        if (self.screen.canvas().width(), self.screen.canvas().height()) != size {
            self.screen = Screen::new(size.0, size.1, self.theme);
        }
        self.show.draw(&mut self.screen);
        desktop.present(self.screen.canvas())
    }

    fn key(&mut self, key: &Key, events: &ActiveEventLoop) {
        let wish = match key.as_ref() {
            Key::Named(NamedKey::Escape) => return events.exit(),
            Key::Named(NamedKey::Enter) => Wish::Again,
            Key::Named(NamedKey::Space) => Wish::Pause,
            Key::Named(NamedKey::ArrowLeft) => Wish::SignBack,
            Key::Named(NamedKey::ArrowRight) => Wish::SignOn,
            Key::Character("r" | "R") => Wish::Repeat,
            Key::Character("-") => Wish::Slower,
            Key::Character("+" | "=") => Wish::Faster,
            Key::Character(",") => Wish::FrameBack,
            Key::Character(".") => Wish::FrameOn,
            _ => return,
        };
        self.show.wish(wish);
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
        let now = Instant::now();
        self.show.pass((now - self.told).as_secs_f32());
        self.told = now;
        if let Some(desktop) = &self.shown {
            desktop.redraw();
        }
        events.set_control_flow(ControlFlow::WaitUntil(now + Duration::from_secs_f32(self.show.wait_s())));
    }
}
