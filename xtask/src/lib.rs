//! Set-up, demo, tests, and the technician's commands.
