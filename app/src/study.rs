//! What is drawn from many events at once: the timeline, the sequence, the numbers, the two styles
//! next to each other, the transports, and runs in files.
//!
//! All of it is heavy, and most visits never ask for it. So it is reached by one table of plain functions, which
//! the browser fetches when it is first needed. Nothing outside of this module names the models behind it.

mod class;
mod code;
mod compare;
mod kept;
pub mod learn;
mod metrics;
mod rows;
mod runs;
mod sequence;
mod shapes;
mod timeline;
mod transports;

use crate::lab::handle::Lab;
use crate::lab::state::Look;
use crate::lab::views::View;
use crate::live::Live;
use flow::{History, api::Product};
use leptos::prelude::*;
use web_sys::HtmlElement;

/// What stands under a name in the page's address.
pub type Query<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Everything that is fetched later.
#[derive(Debug, Clone, Copy)]
pub struct Study {
    /// Bars for each message.
    timeline: fn(Lab) -> AnyView,
    sequence: fn(Lab) -> AnyView,
    metrics: fn(Lab) -> AnyView,
    /// The code that runs.
    code: fn(Lab) -> AnyView,
    /// The sequence diagram as a file: as `svg`, or else as Mermaid.
    pub export: fn(&Look<'_>, &str) -> String,
    /// The page `/compare`: what its address says, and products that can be sent.
    pub compare: fn(Live, Query<'_>, Vec<Product>) -> AnyView,
    /// The page of that name, with what it shows as JSON has it: see [`page`].
    pub page: fn(Live, &str, String) -> AnyView,
    /// The class that this browser takes part in, and the page about it if that is open.
    #[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "only a browser takes part"))]
    class: fn(Live, Option<HtmlElement>),
    /// Mends what this tab's comparison has left broken.
    #[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "only a browser leaves a page"))]
    mend: fn(),
    /// A history as a run's text, saved at that time.
    pub save: fn(&History, String) -> String,
    /// A run's text as a history; else what is wrong with it.
    pub open: fn(&str) -> Result<History, String>,
}

impl Study {
    /// A view of the lab's events; none for the log, which is there without being fetched.
    #[must_use]
    pub fn view(&self, view: View, lab: Lab) -> AnyView {
        match view {
            View::Log => ().into_any(),
            View::Timeline => (self.timeline)(lab),
            View::Sequence => (self.sequence)(lab),
            View::Metrics => (self.metrics)(lab),
            View::Code => (self.code)(lab),
        }
    }
}

/// What the server draws the first paint with. The browser fetches it.
#[cfg(not(feature = "hydrate"))]
#[must_use]
pub const fn at_once() -> Study {
    study()
}

const fn study() -> Study {
    Study {
        timeline: timeline::timeline,
        sequence: sequence::sequence,
        metrics: metrics::metrics,
        code: code::code,
        export: sequence::export,
        compare: compare::page,
        page,
        class: class::wake,
        mend: compare::mend_left_behind,
        save: runs::save,
        open: runs::open,
    }
}

/// A page that all of it is fetched for.
fn page(live: Live, name: &str, first: String) -> AnyView {
    match name {
        "learn" => learn::page(live, first),
        _ => transports::page(live, first),
    }
}

/// Fetches it: in the browser, a part of the WASM of its own.
#[lazy]
pub fn load() -> Study {
    // By the time that a view is opened, its style is there.
    crate::pages::bring_style();
    study()
}

/// Where a tab remembers what its comparison has broken, so that it mends it even when the page was left meanwhile.
const BROKEN_IN_BOTH: &str = "skuflow-broken-in-both";

/// Where a browser remembers which class it takes part in.
const CLASS: &str = "skuflow-class";
/// The place of the page about a class.
pub const CLASS_PLACE: &str = "class-place";

/// Whoever takes part in a class does so on every page.
#[cfg(feature = "hydrate")]
pub fn class_everywhere(live: Live) {
    use crate::components::ready;
    use leptos::task::spawn_local;
    use wasm_bindgen::JsCast as _;

    let place = document().get_element_by_id(CLASS_PLACE).and_then(|place| place.dyn_into().ok());
    let storage = window().local_storage().ok().flatten();
    let takes_part = storage.is_some_and(|storage| storage.get_item(CLASS).is_ok_and(|kept| kept.is_some()));
    if place.is_some() || takes_part {
        ready::fetching();
        spawn_local(async move {
            (load().await.class)(live, place);
            ready::fetched();
        });
    }
}

/// Whoever goes on from the comparison to another page leaves nothing broken behind.
#[cfg(feature = "hydrate")]
pub fn mend_elsewhere() {
    use leptos::task::spawn_local;

    let storage = window().session_storage().ok().flatten();
    let has_left =
        storage.is_some_and(|storage| storage.get_item(BROKEN_IN_BOTH).is_ok_and(|left| left.is_some()));
    let is_elsewhere = window().location().pathname().is_ok_and(|path| path != "/compare");
    if has_left && is_elsewhere {
        spawn_local(async { (load().await.mend)() });
    }
}
