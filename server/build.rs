//! Reads the lessons' texts while the server is built: a mistake in one of them ends the build, with its file and line.

use std::{env, error::Error, fs, path::Path};

const TEXTS: &str = "../app/lessons/texts";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={TEXTS}");
    let texts = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join(TEXTS);
    let lessons = lessons::parse::folder(&texts).unwrap_or_else(|error| {
        println!("cargo::error={}", error.to_string().replace('\n', " "));
        std::process::exit(1);
    });
    fs::write(Path::new(&env::var("OUT_DIR")?).join("lessons.json"), serde_json::to_string(&lessons)?)?;
    Ok(())
}
