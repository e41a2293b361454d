//! Landmarks to signs and captions.
