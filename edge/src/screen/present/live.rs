//! A window that shows frames as another thread draws them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use winit::application::ApplicationHandler;
use winit::event::{ElementState, KeyEvent, WindowEvent};
use winit::event_loop::{ActiveEventLoop, ControlFlow, EventLoop, EventLoopProxy};
use winit::keyboard::{Key, NamedKey};
use winit::window::WindowId;

use super::Present;
use super::desktop::{Desktop, no_display};
use crate::Fault;
use crate::screen::Canvas;

/// Opens a window and does the work on a thread of its own, which shows its frames in it.
///
/// A desktop wants its windows on the first thread, so that the work has to leave it. Escape or the
/// window's own button close it: the next frame shown then gives [`Fault::Closed`].
///
/// # Errors
/// [`Fault::NoDisplay`] where there is no desktop, or it fails; [`Fault::Thread`] where there is no thread.
pub fn live<R: Send>(
    size: (u32, u32),
    work: impl FnOnce(Box<dyn Present + Send>) -> R + Send,
) -> Result<R, Fault> {
    Desktop::check()?;
    let events = EventLoop::<Wake>::with_user_event().build().map_err(no_display)?;
    let shared = Arc::new(Shared::default());
    let to = ToWindow { shared: Arc::clone(&shared), proxy: events.create_proxy() };
    let ended = Ended(events.create_proxy());
    thread::scope(|scope| {
        let worker = thread::Builder::new()
            .name("read".into())
            .spawn_scoped(scope, move || {
                // Dropped at the end of the work, also where it panics, so that the window never stays alone.
                let _ended = ended;
                work(Box::new(to))
            })
            .map_err(|source| Fault::Thread { name: "read".into(), source })?;
        let mut window = Live { size, shared: &shared, desktop: None, fault: None };
        let ran = events.run_app(&mut window).map_err(no_display);
        shared.closed.store(true, Ordering::Relaxed);
        let fault = window.fault;
        let result = worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        ran?;
        fault.map_or(Ok(result), Err)
    })
}

/// Why the window wakes up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wake {
    /// A frame was drawn.
    Drawn,
    /// There will be no more.
    Ended,
}

/// What the two threads share: one frame, the newest, and whether the window is still there.
#[derive(Debug, Default)]
struct Shared {
    newest: Mutex<Newest>,
    closed: AtomicBool,
}

/// The frame that was drawn last, and whether the window still has to show it.
#[derive(Debug, Default)]
struct Newest {
    canvas: Option<Canvas>,
    fresh: bool,
}

/// The end of the work, told when dropped.
struct Ended(EventLoopProxy<Wake>);

impl Drop for Ended {
    fn drop(&mut self) {
        // Where the window is closed already there is nobody to tell.
        let _ = self.0.send_event(Wake::Ended);
    }
}

/// The worker's end: puts its newest frame where the window finds it.
struct ToWindow {
    shared: Arc<Shared>,
    proxy: EventLoopProxy<Wake>,
}

impl Present for ToWindow {
    fn show(&mut self, canvas: &Canvas) -> Result<(), Fault> {
        if self.shared.closed.load(Ordering::Relaxed) {
            return Err(Fault::Closed);
        }
        let mut newest = self.shared.newest.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut newest.canvas {
            Some(kept) => kept.clone_from(canvas),
            none => *none = Some(canvas.clone()),
        }
        // A window that is behind has been woken already: its queue must not grow.
        let woken = std::mem::replace(&mut newest.fresh, true);
        drop(newest);
        if woken { Ok(()) } else { self.proxy.send_event(Wake::Drawn).map_err(|_| Fault::Closed) }
    }

    fn finish(self: Box<Self>) -> Result<(), Fault> {
        Ok(())
    }
}

struct Live<'a> {
    size: (u32, u32),
    shared: &'a Shared,
    desktop: Option<Desktop>,
    fault: Option<Fault>,
}

impl Live<'_> {
    fn draw(&mut self) -> Result<(), Fault> {
        let mut newest = self.shared.newest.lock().unwrap_or_else(PoisonError::into_inner);
        newest.fresh = false;
        match (&mut self.desktop, &newest.canvas) {
            (Some(desktop), Some(canvas)) => desktop.present(canvas),
            _ => Ok(()),
        }
    }

    fn fail(&mut self, result: Result<(), Fault>, events: &ActiveEventLoop) {
        if let Err(fault) = result {
            self.fault = Some(fault);
            events.exit();
        }
    }
}

impl ApplicationHandler<Wake> for Live<'_> {
    fn resumed(&mut self, events: &ActiveEventLoop) {
        events.set_control_flow(ControlFlow::Wait);
        if self.desktop.is_none() {
            let opened = Desktop::open(events, self.size, false).map(|desktop| {
                // A frame may have been drawn before the window was there.
                desktop.redraw();
                self.desktop = Some(desktop);
            });
            self.fail(opened, events);
        }
    }

    fn user_event(&mut self, events: &ActiveEventLoop, wake: Wake) {
        match wake {
            Wake::Drawn => self.desktop.iter().for_each(Desktop::redraw),
            Wake::Ended => events.exit(),
        }
    }

    fn window_event(&mut self, events: &ActiveEventLoop, _: WindowId, event: WindowEvent) {
        match event {
            WindowEvent::CloseRequested => events.exit(),
            WindowEvent::KeyboardInput {
                event:
                    KeyEvent { logical_key: Key::Named(NamedKey::Escape), state: ElementState::Pressed, .. },
                ..
            } => events.exit(),
            WindowEvent::RedrawRequested => {
                let drawn = self.draw();
                self.fail(drawn, events);
            }
            _ => {}
        }
    }
}
