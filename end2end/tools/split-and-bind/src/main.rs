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
    load_until_it_is_there(&folder.join("__wasm_split.js"))?;
    // The linker's exports are what the parts are bound to.
    let mut bindgen = Bindgen::new();
    bindgen.web(true)?.input_path(&main).out_name(name).typescript(false).keep_lld_exports(true);
    bindgen.generate(folder)?;
    Ok(())
}

/// Lets a part that cannot be fetched be asked for once a second, until the server is back. What was generated gives up at
/// once, and the part's caller then panics.
fn load_until_it_is_there(loader: &Path) -> Result<(), Box<dyn Error>> {
    const ONCE: &str = "            await callee();\n";
    const UNTIL: &str = "            while (!(await callee().then(() => true, () => false)))
                await new Promise((resolve) => setTimeout(resolve, 1000));\n";
    let script = fs::read_to_string(loader)?;
    if script.matches(ONCE).count() != 1 {
        return Err(format!("{} calls its loader in another way than this tool knows", loader.display()).into());
    }
    fs::write(loader, script.replace(ONCE, UNTIL))?;
    Ok(())
}
