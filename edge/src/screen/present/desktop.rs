//! A window on a desktop, and the way of pixels into it.

use std::num::NonZeroU32;
use std::rc::Rc;

use softbuffer::{Context, Surface};
use winit::dpi::PhysicalSize;
use winit::event_loop::ActiveEventLoop;
use winit::window::Window;

use crate::Fault;
use crate::screen::Canvas;

/// An open window.
pub struct Desktop {
    window: Rc<Window>,
    surface: Surface<Rc<Window>, Rc<Window>>,
}

impl Desktop {
    /// # Errors
    /// [`Fault::NoDisplay`] where no desktop is known to this session.
    pub fn check() -> Result<(), Fault> {
        let has = |name| std::env::var_os(name).is_some_and(|v| !v.is_empty());
        if has("DISPLAY") || has("WAYLAND_DISPLAY") {
            return Ok(());
        }
        Err(Fault::NoDisplay { why: "neither DISPLAY nor WAYLAND_DISPLAY is set".into() })
    }

    /// Opens a window of the size given, in pixels.
    ///
    /// # Errors
    /// [`Fault::NoDisplay`] where the desktop refuses it.
    pub fn open(events: &ActiveEventLoop, size: (u32, u32), resizable: bool) -> Result<Self, Fault> {
        let attributes = Window::default_attributes()
            .with_title("Signpost")
            .with_resizable(resizable)
            .with_inner_size(PhysicalSize::new(size.0, size.1));
        let window = Rc::new(events.create_window(attributes).map_err(no_display)?);
        let context = Context::new(Rc::clone(&window)).map_err(no_display)?;
        let surface = Surface::new(&context, Rc::clone(&window)).map_err(no_display)?;
        Ok(Self { window, surface })
    }

    /// Width and height in pixels; `None` while it is minimised.
    pub fn size(&self) -> Option<(u32, u32)> {
        let size = self.window.inner_size();
        (size.width > 0 && size.height > 0).then_some((size.width, size.height))
    }

    /// Asks for a redraw.
    pub fn redraw(&self) {
        self.window.request_redraw();
    }

    /// Shows a canvas; where the window has another size, it is cut or stands in the corner.
    ///
    /// # Errors
    /// [`Fault::NoDisplay`] where the desktop is gone.
    pub fn present(&mut self, canvas: &Canvas) -> Result<(), Fault> {
        let Some((w, h)) = self.size() else { return Ok(()) };
        let (Some(width), Some(height)) = (NonZeroU32::new(w), NonZeroU32::new(h)) else { return Ok(()) };
        self.surface.resize(width, height).map_err(no_display)?;
        let mut buffer = self.surface.buffer_mut().map_err(no_display)?;
        let rows = canvas.rgba().chunks_exact(4 * canvas.width().max(1) as usize);
        for (to, from) in buffer.chunks_exact_mut(w as usize).zip(rows) {
            for (to, from) in to.iter_mut().zip(from.chunks_exact(4)) {
                *to = u32::from_be_bytes([0, from[0], from[1], from[2]]);
            }
        }
        buffer.present().map_err(no_display)
    }
}

/// What the desktop said, as a fault.
pub fn no_display(error: impl std::fmt::Display) -> Fault {
    Fault::NoDisplay { why: error.to_string() }
}
