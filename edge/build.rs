//! With `defmt`, the strings of log lines go into a section that the program is never loaded with.
//!
//! A position-independent program would crash in the loader: its relocations reach into that section.

fn main() {
    println!("cargo:rerun-if-changed=journal/defmt.x");
    if std::env::var_os("CARGO_FEATURE_DEFMT").is_some() {
        let folder = std::env::var("CARGO_MANIFEST_DIR").expect("cargo says where a crate is");
        let arguments =
            [format!("-Wl,-T,{folder}/journal/defmt.x"), "-no-pie".into(), "-Wl,--build-id".into()];
        for argument in arguments {
            println!("cargo:rustc-link-arg-bins={argument}");
        }
    }
}
