//! Frames to landmarks.
