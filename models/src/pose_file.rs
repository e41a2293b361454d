//! The `.pose` file format, versions 0.0, 0.1 and 0.2.
