//! What happened before: fetched from the server a page at a time, with the picture that it stands on.

use super::{Live, stream};
use crate::api::fetch;
use flow::{Event, History, Picture, history::KEPT};
use leptos::{prelude::*, task::spawn_local};
use std::cell::Cell;

/// How many events are asked for at once, and fetched by a page that has just been opened.
pub(super) const PAGE: u64 = 5_000;
/// How many steps before a place are fetched too, for going back from there.
const STEPS_BEFORE: u64 = 4_000;
/// What is said when the server has no answer.
const LOST: &str = "The server does not tell how things stood then.";

thread_local! {
    /// What follows is being fetched.
    static IS_READING_ON: Cell<bool> = const { Cell::new(false) };
}

/// A page of the journal.
#[derive(serde::Deserialize)]
pub(super) struct Page {
    pub events: Vec<Event>,
    first: u64,
    last: u64,
}

/// Fetches the steps before this page was opened, so that its reader can go back through them.
pub(super) async fn fetch_before(live: Live) {
    let base = live.with_history(|history| history.reach().0);
    if base > 0 {
        // Without an answer it is tried again when somebody wants to go back.
        let _ = lengthen(live, base.saturating_sub(PAGE)).await;
    }
}

pub(super) async fn fetch_page(live: Live, after: u64, limit: u64) -> Option<Page> {
    let page: Page = fetch::get(&format!("/api/journal?after={after}&limit={limit}")).await.ok()?;
    if !stream::is_over() {
        live.kept.update_value(|kept| *kept = (page.first, kept.1.max(page.last)));
    }
    Some(page)
}

/// Fetches what is needed to show the picture at that place, and some steps before it.
pub(super) async fn reach_back(live: Live, at: u64) -> Result<(), String> {
    let ((base, now), last) = live.with_history(|history| (history.reach(), live.reach(history).1));
    if at > last {
        return Err(format!("Step {at} has not happened yet: the journal ends at step {last}."));
    }
    if (base..=now).contains(&at) || stream::is_over() {
        return Ok(());
    }
    let after = at.saturating_sub(STEPS_BEFORE);
    if at < base && fits(live, base - after) {
        lengthen(live, after).await
    } else {
        move_to(live, at).await
    }?;
    if live.with_history(|history| history.reach().0) <= at { Ok(()) } else { Err(no_longer_kept(live, at)) }
}

fn no_longer_kept(live: Live, at: u64) -> String {
    let (first, _) = live.kept.get_value();
    format!("Step {at} is no longer kept: the journal begins at step {first}.")
}

/// Fetches some more of what happened before the journal at hand.
pub(super) async fn fetch_older(live: Live) -> Result<(), String> {
    let base = live.with_history(|history| history.reach().0);
    if !fits(live, STEPS_BEFORE) {
        return Err(
            "No more steps fit here at once. Older ones are shown when the playhead goes back to them."
                .to_owned(),
        );
    }
    lengthen(live, base.saturating_sub(STEPS_BEFORE)).await
}

/// Whether so many more fit into what a tab has at hand.
fn fits(live: Live, more: u64) -> bool {
    let at_hand = live.with_history(|history| history.drawable().len()) as u64;
    at_hand + more <= KEPT as u64
}

/// Puts what happened after that place in front of the journal at hand, as far as it is kept.
async fn lengthen(live: Live, mut after: u64) -> Result<(), String> {
    let base = live.with_history(|history| history.reach().0);
    let mut older: Vec<Event> = Vec::new();
    while after < base {
        let page = fetch_page(live, after, PAGE.min(base - after)).await.ok_or(LOST)?;
        let Some(last) = page.events.last().map(|event| event.seq) else { break };
        after = last;
        older.extend(page.events);
    }
    let (Some(first), Some(last)) = (older.first(), older.last()) else { return Ok(()) };
    let last = last.seq;
    let picture = picture_at(first.seq - 1).await?;
    if !stream::is_over() {
        live.change_history(|history| {
            // Meanwhile others may have lengthened it, or it may have begun anew behind a gap.
            let begin = history.events().front().map_or(history.reach().0 + 1, |event| event.seq);
            if begin <= last + 1 {
                history.prepend(older);
                history.rebase(picture);
            }
        });
        live.changed.notify();
    }
    Ok(())
}

/// Shows the part of the journal around that place instead of the one at hand: both do not fit.
async fn move_to(live: Live, at: u64) -> Result<(), String> {
    let page = fetch_page(live, at.saturating_sub(STEPS_BEFORE), PAGE).await.ok_or(LOST)?;
    if at + 1 < page.first {
        return Err(no_longer_kept(live, at));
    }
    let (Some(first), Some(last)) = (page.events.first(), page.events.last()) else {
        return Err(LOST.to_owned());
    };
    let is_far_back = last.seq < page.last;
    let mut part = History::new(picture_at(first.seq - 1).await?);
    page.events.into_iter().for_each(|event| _ = part.push(event));
    if !stream::is_over() {
        live.change_history(|history| *history = part);
        stream::go_far_back(live, is_far_back);
    }
    Ok(())
}

/// Fetches what follows on the part at hand, until that reaches what happens now.
pub(super) fn read_on(live: Live) {
    if IS_READING_ON.replace(true) {
        return;
    }
    spawn_local(async move {
        let end = live.with_history(|history| history.reach().1);
        // Without an answer it is asked for again at the next frame that needs it.
        let page = fetch_page(live, end, PAGE).await;
        IS_READING_ON.set(false);
        let Some(page) = page.filter(|_| stream::is_far_back()) else { return };
        let last = live.change_history(|history| {
            page.events.into_iter().for_each(|event| _ = history.push(event));
            history.reach().1
        });
        stream::go_far_back(live, last < page.last);
    });
}

/// The picture after the event with that place.
async fn picture_at(seq: u64) -> Result<Picture, String> {
    let picture = picture(&format!("/api/journal/picture?packed=true&at={seq}")).await;
    picture.ok_or_else(|| LOST.to_owned())
}

/// The picture at that address.
pub(super) async fn picture(path: &str) -> Option<Picture> {
    Picture::unpack(&fetch::send("GET", path, None).await.ok()?)
}
