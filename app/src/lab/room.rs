//! The control room: holding the system, breaking it, and mending it again.

use super::handle::Lab;
use super::state::Look;
use crate::paint::Act;
use maud::{Markup, html};

/// What the control room knows besides the picture.
#[derive(Debug, Default)]
pub struct Room {}

/// The panel below the form.
#[must_use]
pub fn panel(_look: &Look<'_>) -> Markup {
    html! {}
}

/// A button of the control room was clicked; `false` when the act is none of its own.
pub fn act(_lab: Lab, _name: &str, _marked: &Act) -> bool {
    false
}

/// Something was typed in one of its fields; `false` when the field is none of its own.
pub fn typed(_lab: Lab, _name: &str, _field: &Act) -> bool {
    false
}
