//! What happened before: fetched from the server, to look back at.

use super::{Live, stream};
use crate::api::fetch;
use flow::{Event, History, Picture};
use leptos::prelude::*;

/// How many past events a page that has just been opened asks for.
const LOG_AT_FIRST: u64 = 5_000;
/// How many steps before the place of a link are fetched too, for going back.
const STEPS_BEFORE: u64 = 1_000;

/// A page of the journal.
#[derive(serde::Deserialize)]
pub(super) struct Page {
    pub events: Vec<Event>,
    first: u64,
}

/// What happened before this page was opened.
pub(super) async fn fetch_log(live: Live) {
    let after = live.with_history(|history| history.now().seq).saturating_sub(LOG_AT_FIRST);
    if let Some(page) = fetch_page(after).await {
        if stream::is_over() {
            return;
        }
        live.change_history(|history| history.prepend(page.events));
        live.version.update(|version| *version = version.wrapping_add(1));
    }
}

pub(super) async fn fetch_page(after: u64) -> Option<Page> {
    fetch::get(&format!("/api/journal?after={after}&limit={LOG_AT_FIRST}")).await.ok()
}

/// Fetches what is needed to show the picture at that place, and some steps before it.
pub(super) async fn reach_back(live: Live, at: u64) -> Result<(), String> {
    const LOST: &str = "The server does not tell how things stood then.";
    let (base, last) = live.with_history(History::reach);
    if at > last {
        return Err(format!("Step {at} has not happened yet: the journal ends at step {last}."));
    }
    let mut after = at.saturating_sub(STEPS_BEFORE);
    let mut older: Vec<Event> = Vec::new();
    while after < base {
        let page = fetch_page(after).await.ok_or(LOST)?;
        if at + 1 < page.first {
            let first = page.first;
            return Err(format!("Step {at} is no longer kept: the journal begins at step {first}."));
        }
        let Some(end) = page.events.last().map(|event| event.seq) else { return Err(LOST.to_owned()) };
        after = end;
        older.extend(page.events);
    }
    let Some(first) = older.first().map(|event| event.seq) else { return Ok(()) };
    let picture = picture(&format!("/api/journal/picture?packed=true&at={}", first - 1)).await.ok_or(LOST)?;
    let is_back = live.change_history(|history| {
        history.prepend(older);
        history.reach().0 <= at || history.rebase(picture)
    });
    live.version.update(|version| *version = version.wrapping_add(1));
    if is_back { Ok(()) } else { Err(LOST.to_owned()) }
}

/// The picture at that address.
pub(super) async fn picture(path: &str) -> Option<Picture> {
    Picture::unpack(&fetch::send("GET", path, None).await.ok()?)
}
