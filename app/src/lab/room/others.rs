//! Whether what others bind and consume at the broker is seen: that can change while the page is open.

use maud::{Markup, html};

/// The part `others`, with the reason why they are not seen, if so.
#[must_use]
pub fn part(hidden: Option<&str>) -> Markup {
    html! {
        @if let Some(reason) = hidden { p.soft { "Bindings of others: not visible (" (reason) ")." } }
    }
}
