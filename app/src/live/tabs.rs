//! What the tabs of one browser say to each other: one of them reads the stream for all. See `tabs.js`.

use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

/// What the lock and the channel are called. Who changes what is said below gives them another name: an old tab may be open.
const NAME: &str = "skuflow.journal.2";

#[wasm_bindgen(module = "/src/tabs.js")]
extern "C" {
    #[wasm_bindgen(js_name = join)]
    fn join_tabs(name: &str, lead: &JsValue, hear: &JsValue);
    #[wasm_bindgen(js_name = say)]
    fn say_to_tabs(kind: &str, text: &str);
    /// Passes on the events of a message from the server to all other tabs, if there are any.
    #[wasm_bindgen(js_name = passOn)]
    pub(super) fn pass_on(events: &JsValue);
    #[wasm_bindgen(js_name = bytesOf)]
    fn bytes_of(text: &JsValue) -> Vec<u8>;
    /// Leaves the others for good: what they say is of no interest here any more.
    pub fn part();
}

/// How the tab that reads stands with the server.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Standing {
    /// Whether the stream is open; unknown while it is being opened for the first time.
    pub is_open: Option<bool>,
    /// Seconds until it is tried again.
    pub retry_in: Option<u32>,
    /// The place of the last event that it has.
    pub seq: u64,
}

/// What the tab that reads says to all others, besides the events.
pub(super) enum Said {
    /// There is a gap that cannot be filled.
    Reset,
    Standing(Standing),
}

/// What another tab is heard to say.
pub(super) enum Word {
    /// Events, as the server sent them.
    Journal(String),
    /// There is a gap that cannot be filled.
    Reset,
    Standing(Standing),
}

/// The text of a message from the server.
pub(super) fn text_of(message: &JsValue) -> Option<String> {
    String::from_utf8(bytes_of(message)).ok()
}

/// Says it to all other tabs.
pub(super) fn say(word: &Said) {
    match word {
        Said::Reset => say_to_tabs("reset", ""),
        Said::Standing(standing) => {
            say_to_tabs("standing", &serde_json::to_string(standing).expect("numbers and a flag"));
        }
    }
}

/// Joins the other tabs. `lead` says when this one is to read for all, and when no more; `hear` what the one that reads
/// says, or nothing when somebody wants to know how it stands.
pub(super) fn join(lead: impl Fn(bool) + 'static, hear: impl Fn(Option<Word>) + 'static) {
    let hear = move |kind: String, text: String| match kind.as_str() {
        "journal" => hear(Some(Word::Journal(text))),
        "reset" => hear(Some(Word::Reset)),
        "standing" => {
            if let Ok(standing) = serde_json::from_str(&text) {
                hear(Some(Word::Standing(standing)));
            }
        }
        _ => hear(None),
    };
    let lead = Closure::<dyn Fn(bool)>::new(lead).into_js_value();
    let hear = Closure::<dyn Fn(String, String)>::new(hear).into_js_value();
    join_tabs(NAME, &lead, &hear);
}
