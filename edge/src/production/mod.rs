//! Text to glosses to one pose track.
