//! Parts of the page that the server draws, and what is sent by their buttons and forms: see `parts.js`.

use web_sys::Element;

#[wasm_bindgen::prelude::wasm_bindgen(module = "/src/parts.js")]
extern "C" {
    /// Keeps the parts inside of the element fresh, for as long as the page is open.
    pub fn keep(host: &Element);
}
