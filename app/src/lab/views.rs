//! What stands below the diagram: the same events as a log, a timeline, a sequence and in numbers.

use super::handle::Lab;
use super::log;
use super::state::Look;
use crate::paint::Act;
use maud::Markup;

/// Which view is open, and what it is set to.
#[derive(Debug, Default)]
pub struct Views {}

/// The panel below the diagram.
#[must_use]
pub fn panel(look: &Look<'_>) -> Markup {
    log::log_panel(look)
}

/// Something in the views was clicked; `false` when the act is none of theirs.
pub fn act(_lab: Lab, _name: &str, _marked: &Act) -> bool {
    false
}

/// Something was typed in one of their fields; `false` when the field is none of theirs.
pub fn typed(_lab: Lab, _name: &str, _field: &Act) -> bool {
    false
}
