//! With `defmt`, an example of this crate is linked as the unit's program is: see `edge/build.rs`.

fn main() {
    println!("cargo:rerun-if-changed=defmt.x");
    if std::env::var_os("CARGO_FEATURE_DEFMT").is_some() {
        let folder = std::env::var("CARGO_MANIFEST_DIR").expect("cargo says where a crate is");
        for argument in [format!("-Wl,-T,{folder}/defmt.x"), "-no-pie".into(), "-Wl,--build-id".into()] {
            println!("cargo:rustc-link-arg-examples={argument}");
        }
    }
}
