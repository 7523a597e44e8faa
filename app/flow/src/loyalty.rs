//! What inventory's code needs before a fourth service hears anything.
//!
//! In choreography nothing, as long as the exchange copies: whoever binds a queue hears the next event. Where inventory keeps
//! a list of its own, of commands or of queues, that list has to be changed.

use crate::{Dispatch, Style};

/// A line of a change to a source file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// Whether it comes, goes or stays.
    pub sign: Sign,
    /// The line itself, without its end.
    pub text: &'static str,
}

/// What becomes of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// It stays, and shows where the change is.
    Kept,
    /// It is new.
    Added,
    /// It goes.
    Removed,
}

impl Sign {
    /// As it stands in front of the line in a unified diff.
    #[must_use]
    pub const fn as_char(self) -> char {
        match self {
            Self::Kept => ' ',
            Self::Added => '+',
            Self::Removed => '-',
        }
    }
}

const fn kept(text: &'static str) -> Line {
    Line { sign: Sign::Kept, text }
}

const fn added(text: &'static str) -> Line {
    Line { sign: Sign::Added, text }
}

/// The change that inventory's code needs for loyalty; no lines where it needs none. A test compares it with the source.
#[must_use]
pub const fn diff(style: Style, dispatch: Dispatch) -> &'static [Line] {
    const QUEUES: &[Line] = &[
        kept("pub const RECEIVERS: &[&str] = &["),
        kept("    \"inventory.sku_processed\","),
        kept("    \"catalog.sku_processed\","),
        kept("    \"wishlist.sku_processed\","),
        added("    \"loyalty.sku_processed\","),
        kept("];"),
    ];
    const COMMANDS: &[Line] = &[
        kept("pub const COMMANDS: &[&str] = &["),
        kept("    \"recalculate_sku\","),
        kept("    \"update_sku_availability\","),
        kept("    \"update_wishlists\","),
        added("    \"add_loyalty_points\","),
        kept("];"),
    ];
    match (style, dispatch) {
        (Style::Choreography, Dispatch::Fanout) => &[],
        (Style::Choreography, Dispatch::Queues) => QUEUES,
        (Style::Orchestration, _) => COMMANDS,
    }
}

/// What inventory's code says where it needs no change: one event, for whoever is bound. A test compares it with the source.
pub const UNCHANGED: &[Line] = &[kept("Dispatch::Fanout => vec![event(SKU_PROCESSED.name, \"\")],")];

/// The file of the source that has the list.
#[must_use]
pub const fn file(style: Style) -> &'static str {
    match style {
        Style::Choreography => "server/src/styles/choreography.rs",
        Style::Orchestration => "server/src/styles/orchestration.rs",
    }
}
