//! Reads `.tflite` networks and writes them as ONNX.
