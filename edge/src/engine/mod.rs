//! Runs networks: one trait, `tract` always, ONNX Runtime where its library is found.
