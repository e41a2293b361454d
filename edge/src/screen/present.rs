//! Takes frames of the screen to a folder of pictures, to a video, or to a window.
