//! The numbers that a recogniser sees: normalised landmarks, masks and velocities.
