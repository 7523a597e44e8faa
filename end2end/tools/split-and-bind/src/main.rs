//! Turns what rustc made of the page into what a browser loads.
//!
//! `wasm-split` cuts off what is fetched later (`#[lazy]`), and `wasm-bindgen` gives the rest its JavaScript.

use std::{env, error::Error, fs, path::Path, process::ExitCode};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [input, name, folder] = &arguments[..] else {
        eprintln!("use: split-and-bind INPUT.wasm NAME FOLDER");
        return ExitCode::from(2);
    };
    match run(Path::new(input), name, Path::new(folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("split-and-bind: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Leaves `NAME.js`, `NAME_bg.wasm` and the parts `split_*.wasm`, with what loads them, in the folder.
fn run(input: &Path, name: &str, folder: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    let whole = fs::read(input)?;
    let (main, module) = (folder.join(format!("{name}.wasm")), format!("./{name}.js"));
    let mut options = wasm_split_cli_support::Options::new(&whole);
    options.output_dir = folder;
    options.main_out_path = &main;
    options.main_module = &module;
    options.target.web();
    wasm_split_cli_support::transform(options)?;
    // The linker's exports are what the parts are bound to.
    let mut bindgen = Bindgen::new();
    bindgen.web(true)?.input_path(&main).out_name(name).typescript(false).keep_lld_exports(true);
    bindgen.generate(folder)?;
    Ok(())
}
