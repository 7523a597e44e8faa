//! What stands below the diagram: the same events as a log, a timeline, a sequence, in numbers, and as the code that runs.
//!
//! Here is what the rest of the page knows of it; the `panel` itself is fetched right after the page.

mod panel;
mod tools;

pub use panel::{ViewsPlace, Wake, wake as wake_panel};

use super::handle::{Lab, Pace};
use super::log;
use crate::focus::focus;
use crate::study::{self, Study};
use leptos::{
    prelude::*,
    task::{spawn_local, tick},
};
use std::{any::Any, sync::Mutex};

/// Which view is open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum View {
    /// Every step as a sentence.
    #[default]
    Log,
    /// Bars for each message.
    Timeline,
    /// Who says what to whom.
    Sequence,
    Metrics,
    /// What runs, as it stands in the source.
    Code,
}

impl View {
    /// All of them, in the order of their tabs.
    pub const ALL: [Self; 5] = [Self::Log, Self::Timeline, Self::Sequence, Self::Metrics, Self::Code];

    /// Its name in addresses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Timeline => "timeline",
            Self::Sequence => "sequence",
            Self::Metrics => "metrics",
            Self::Code => "code",
        }
    }

    /// The view with that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|view| view.as_str() == name)
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Log => "Log",
            Self::Timeline => "Timeline",
            Self::Sequence => "Sequence",
            Self::Metrics => "Metrics",
            Self::Code => "Code",
        }
    }
}

/// Which view is open, and what it is set to.
#[derive(Debug, Default)]
pub struct Views {
    pub open: View,
    /// What draws all but the log, once it has been fetched.
    pub study: Option<Study>,
    /// What the study keeps from one drawing to the next.
    pub kept: Mutex<Option<Box<dyn Any + Send>>>,
    /// Which steps the log lists.
    pub filter: log::Filter,
    /// Whether the timeline shows idle time as long as it was.
    pub is_unfolded: bool,
    /// Whether the sequence has a lifeline for each queue.
    pub has_queues: bool,
    /// Whether the sequence shows confirms and acks.
    pub has_settlements: bool,
    is_asked_for: bool,
}

pub fn show(lab: Lab, view: View) {
    let inside = "#view, .views-tools";
    let is_inside =
        document().active_element().and_then(|here| here.closest(inside).ok().flatten()).is_some();
    let is_other = lab.quietly(|state| std::mem::replace(&mut state.views.open, view) != view) == Some(true);
    lab.tell(Pace::Calm);
    if view != View::Log {
        fetch_study(lab);
    }
    // Where the reader was is gone.
    if is_inside && is_other {
        spawn_local(async move {
            tick().await;
            focus("#views [role=tab][tabindex='0']");
        });
    }
}

/// What draws all but the log, fetched if need be.
pub async fn study_of(lab: Lab) -> Study {
    match lab.peek(|state| state.views.study).flatten() {
        Some(study) => study,
        None => study::load().await,
    }
}

/// A saved run has to open when the server is gone, so what reads and draws it is fetched while the server is there: not
/// before the page has settled.
const FETCHED_AFTER: std::time::Duration = std::time::Duration::from_secs(1);

/// Fetches what draws all but the log, once.
fn fetch_study(lab: Lab) {
    let is_first = lab.quietly(|state| !std::mem::replace(&mut state.views.is_asked_for, true));
    if is_first == Some(true) {
        spawn_local(async move {
            let study = study::load().await;
            lab.change(|state| state.views.study = Some(study));
        });
    }
}

/// Opens the view of that key; `false` when there is none.
pub fn by_digit(lab: Lab, digit: &str) -> bool {
    let view = digit.parse::<usize>().ok().and_then(|number| View::ALL.get(number.wrapping_sub(1)));
    view.inspect(|view| show(lab, **view)).is_some()
}

/// Fetches what draws the other views once the page has settled, and draws them anew when what happened before this page
/// was opened comes to hand: no step is shown then.
pub fn wake(lab: Lab) {
    set_timeout(move || fetch_study(lab), FETCHED_AFTER);
    Effect::new(move |known: Option<u64>| {
        lab.live.changed.track();
        let first = lab.live.with_history(|history| history.events().front().map(|event| event.seq));
        if known.is_some_and(|known| first.is_some_and(|first| known == 0 || first < known)) {
            request_animation_frame(move || lab.tell(Pace::Calm));
        }
        first.unwrap_or_default()
    });
}
