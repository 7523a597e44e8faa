//! The lessons: the list of them, and one of them on the lab's stage.
//!
//! What a lesson is, and when a step of it is done, is in the crate `lessons`. How far the learner is in it is plain data
//! ([`run`]), and the rest shows that and does what it says: it asks the running system, and waits for its journal.

mod ask;
mod bar;
mod course;
mod end;
mod kept;
mod lease;
mod lesson;
mod list;
mod run;
mod spot;

use crate::live::Live;
use leptos::prelude::*;
use lessons::{Brief, Lesson};
use serde::{Deserialize, Serialize};

/// What these pages show.
#[derive(Debug, Serialize, Deserialize)]
pub enum Shown {
    List(Vec<Brief>),
    One {
        lesson: Box<Lesson>,
        /// The one that follows it.
        next: Option<Brief>,
        /// The place of the beat at which it is opened.
        place: usize,
    },
}

impl Shown {
    #[must_use]
    pub fn write(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The page, with what it shows as JSON.
pub(super) fn page(live: Live, shown: String) -> AnyView {
    match serde_json::from_str(&shown) {
        Ok(Shown::List(briefs)) => view! { <list::List briefs /> }.into_any(),
        Ok(Shown::One { lesson, next, place }) => {
            view! { <lesson::LessonPage live lesson=*lesson next place /> }.into_any()
        }
        // The server wrote it a moment ago.
        Err(_) => ().into_any(),
    }
}
