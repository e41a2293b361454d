//! Where frames come from: a video file, a folder of pictures, a camera.
