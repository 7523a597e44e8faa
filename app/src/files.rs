//! Files and the clipboard.

use wasm_bindgen::prelude::*;
use web_sys::Element;

#[wasm_bindgen(module = "/src/files.js")]
extern "C" {
    fn save(name: &str, media_type: &str, text: &str);
    fn fetch(address: &str);
    fn read(input: &Element, max_bytes: u32, then: &JsValue);
    fn copy(text: &str, then: &JsValue);
}

/// Hands a file to the reader.
pub fn hand_out(name: &str, media_type: &str, text: &str) {
    save(name, media_type, text);
}

/// Hands over what the server has at that address, as a file.
pub fn hand_over(address: &str) {
    fetch(address);
}

/// Puts a text into the clipboard, and says whether that worked.
pub fn put_into_clipboard(text: &str, then: impl FnOnce(bool) + 'static) {
    copy(text, &Closure::once_into_js(then));
}

/// Reads the file that was chosen in a field: its text, or what is wrong.
pub fn take_in(input: &Element, max_bytes: u32, then: impl FnOnce(Result<String, String>) + 'static) {
    let then = move |text: String, wrong: String| then(if wrong.is_empty() { Ok(text) } else { Err(wrong) });
    read(input, max_bytes, &Closure::once_into_js(then));
}
