//! The way to the lab's state: who looks at it follows it, who changes it tells everybody.

use super::state::{LabState, Look};
use crate::live::Live;
use leptos::{prelude::*, reactive::signal::Trigger};

/// How soon a panel follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// At the next frame.
    Frame,
    /// A few times a second, for what is expensive or only read.
    Calm,
}

/// The lab of the page at hand. It is the same one everywhere on the page.
#[derive(Clone, Copy)]
pub struct Lab {
    /// What is true now, shown or not.
    pub live: Live,
    state: StoredValue<LabState>,
    at_frame: Trigger,
    calmly: Trigger,
}

impl Lab {
    /// Puts the state into the page.
    #[must_use]
    pub fn new(live: Live, state: LabState) -> Self {
        Self { live, state: StoredValue::new(state), at_frame: Trigger::new(), calmly: Trigger::new() }
    }

    /// Looks at the state. Untracked. None when the page has been left.
    pub fn peek<T>(self, look: impl FnOnce(&LabState) -> T) -> Option<T> {
        self.state.try_with_value(look)
    }

    /// Changes the state without telling anybody. None when the page has been left.
    pub fn quietly<T>(self, change: impl FnOnce(&mut LabState) -> T) -> Option<T> {
        self.state.try_update_value(change)
    }

    /// Changes the state, and tells everybody.
    pub fn change(self, change: impl FnOnce(&mut LabState)) {
        self.quietly(change);
        self.tell(Pace::Calm);
    }

    /// Something has changed for panels of this pace; the calm ones hear of it last.
    pub fn tell(self, pace: Pace) {
        self.tell_only(Pace::Frame);
        if pace == Pace::Calm {
            self.tell_only(Pace::Calm);
        }
    }

    /// Something has changed for panels of this pace, and the others need not hear of it yet.
    pub fn tell_only(self, pace: Pace) {
        self.trigger(pace).notify();
    }

    /// Follows the state: whatever calls this is called again when it has changed.
    pub fn follow(self, pace: Pace) {
        self.trigger(pace).track();
    }

    const fn trigger(self, pace: Pace) -> Trigger {
        match pace {
            Pace::Frame => self.at_frame,
            Pace::Calm => self.calmly,
        }
    }

    /// Follows the state and looks at it.
    pub fn look<T: Default>(self, pace: Pace, see: impl FnOnce(&Look<'_>) -> T) -> T {
        self.follow(pace);
        self.peek(|state| Look::now(state, &self.live, see)).unwrap_or_default()
    }
}
