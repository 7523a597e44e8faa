//! The dead-letter desk: what is parked, why, and what can be done about it.

mod letter;

use super::section::{Asking, Section, read};
use crate::api::{asks::Ask, fetch};
use flow::System;
use flow::api::{DeadLetter, Desk};
use leptos::{ev, prelude::*};
use letter::Letter;
use std::{collections::HashMap, time::Duration};

/// How many letters are shown at a time.
const SHOWN: usize = 50;
/// How many seconds the server may look for them.
const WITHIN_S: u32 = 6;
const PATIENCE_MS: u32 = 8_000;
const AGAIN: Duration = Duration::from_secs(4);

/// A page of what is parked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Page {
    /// Oldest first within each queue.
    letters: Vec<DeadLetter>,
    /// How many there are on all pages.
    parked: u64,
    /// Grows with all that is done at the desk.
    changes: u64,
    /// Where the next page is, if there is more.
    next: Option<String>,
}

impl Page {
    fn of(answer: &fetch::Answer) -> Result<Self, String> {
        let letters: Vec<_> = read(&answer.text)?;
        Ok(Self {
            parked: answer.total.unwrap_or(letters.len() as u64),
            letters,
            changes: answer.changes.unwrap_or_default(),
            next: answer.link.as_deref().and_then(next_in).map(str::to_owned),
        })
    }

    fn ids(&self) -> Vec<String> {
        self.letters.iter().map(|letter| letter.id.clone()).collect()
    }
}

/// The next page's address, out of the header `Link` (RFC 8288).
fn next_in(link: &str) -> Option<&str> {
    let (address, rest) = link.strip_prefix('<')?.split_once('>')?;
    rest.contains("rel=\"next\"").then_some(address)
}

/// A letter's name on its page. Two letters may have the same id, and one that comes back is another one.
type Key = (String, usize, usize, Option<String>);

fn keys(letters: &[DeadLetter]) -> Vec<Key> {
    let mut times = HashMap::new();
    let key = |letter: &DeadLetter| {
        let nth = times.entry(letter.id.clone()).and_modify(|times| *times += 1).or_insert(0);
        (letter.id.clone(), *nth, letter.attempts.len(), letter.parked_at.clone())
    };
    letters.iter().map(key).collect()
}

/// Sends letters back to the queues that they come from.
#[must_use]
pub fn replay(system: System, ids: Vec<String>, body: Option<String>) -> Ask {
    wanted(system.api("dead-letters/replay"), ids, body)
}

/// Takes letters out for good.
#[must_use]
pub fn discard(system: System, ids: Vec<String>) -> Ask {
    wanted(system.api("dead-letters/discard"), ids, None)
}

fn wanted(path: String, ids: Vec<String>, body: Option<String>) -> Ask {
    let body = serde_json::to_string(&Desk { ids, body }).expect("ids are plain data");
    Ask::new("POST", path).with(body)
}

/// What is done with the letters of a page together, in words: `all`, `this one` or `these 50`.
fn which(count: usize, is_all: bool) -> String {
    match count {
        _ if is_all => "all".to_owned(),
        1 => "this one".to_owned(),
        _ => format!("these {count}"),
    }
}

/// What to ask before they are discarded.
#[must_use]
pub fn question(count: usize, is_all: bool) -> String {
    match count {
        1 => "Discard this message? It cannot be brought back.".to_owned(),
        _ if is_all => format!("Discard all {count}? They cannot be brought back."),
        _ => format!("Discard these {count}? They cannot be brought back."),
    }
}

/// What is parked, page by page.
pub fn contents(section: Section) -> AnyView {
    let told = RwSignal::new(None);
    let path = section.system.api(&format!("dead-letters?limit={SHOWN}&within_s={WITHIN_S}"));
    section.keep(path, told, Page::of);
    let marked = RwSignal::new(Vec::new());
    let parked = Memo::new(move |_| told.with(|told: &Option<Page>| told.as_ref().map(|page| page.parked)));
    let is_all = Memo::new(move |_| told.with(|told| told.as_ref().is_none_or(|page| page.next.is_none())));
    view! {
        {move || match parked.get() {
            None => view! { <Asking /> }.into_any(),
            Some(0) => view! {
                <p class="hint" data-parked="0">
                    "Nothing is parked. A message that fails too often comes to rest here, with its reason."
                </p>
            }
            .into_any(),
            Some(parked) => view! {
                <p class="desk-count" data-parked=parked>
                    <strong>{parked}</strong>
                    " parked"
                </p>
            }
            .into_any(),
        }}
        {move || (!is_all.get()).then(|| view! { <DiscardAll section parked /> })}
        {move || (parked.get() > Some(0)).then(|| view! { <Together section told is_first=true /> })}
        {move || (parked.get() > Some(1)).then(|| view! { <ReplayMarked section marked /> })}
        {letters(section, told, marked)}
        {next(section, told, marked)}
    }
    .into_any()
}

/// Discards what is on all pages.
#[component]
fn DiscardAll(section: Section, parked: Memo<Option<u64>>) -> impl IntoView {
    let count = move || parked.get().unwrap_or_default();
    let discard = move |_| {
        let ask = Ask::new("DELETE", section.system.api("dead-letters"));
        let count = parked.get_untracked().unwrap_or_default();
        section.asks.ask(ask.after(format!("Discard all {count}? They cannot be brought back.")));
    };
    view! {
        <div class="button-row">
            <button class="button button-small" type="button" on:click=discard>
                {move || format!("Discard all {}", count())}
            </button>
        </div>
    }
}

/// What can be done about the letters of a page together.
#[component]
fn Together(section: Section, told: RwSignal<Option<Page>>, is_first: bool) -> impl IntoView {
    let ids = move || told.with_untracked(|told| told.as_ref().map(Page::ids)).unwrap_or_default();
    let seen = Memo::new(move |_| {
        told.with(|told| told.as_ref().map(|page| (page.letters.len(), is_first && page.next.is_none())))
            .unwrap_or_default()
    });
    let which = move || {
        let (count, is_all) = seen.get();
        which(count, is_all)
    };
    let discard_these = move |_| {
        let (count, is_all) = seen.get_untracked();
        section.asks.ask(discard(section.system, ids()).after(question(count, is_all)));
    };
    view! {
        <div class="button-row">
            <button
                class="button button-small"
                type="button"
                on:click=move |_| section.asks.ask(replay(section.system, ids(), None))
            >
                {move || format!("Replay {}", which())}
            </button>
            <button class="button button-small" type="button" on:click=discard_these>
                {move || format!("Discard {}", which())}
            </button>
        </div>
    }
}

/// Replays what is marked, on whatever page.
#[component]
fn ReplayMarked(section: Section, marked: RwSignal<Vec<String>>) -> impl IntoView {
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let ids = marked.get_untracked();
        if ids.is_empty() {
            section.asks.say("Mark at least one message first.", false);
        } else {
            section.asks.ask(replay(section.system, ids, None));
        }
    };
    view! {
        <form on:submit=submit>
            <button class="button button-small" type="submit">
                "Replay the marked ones"
            </button>
        </form>
    }
}

/// The letters of a page.
fn letters(section: Section, told: RwSignal<Option<Page>>, marked: RwSignal<Vec<String>>) -> AnyView {
    let shown = move || {
        let pairs =
            |page: &Page| keys(&page.letters).into_iter().zip(page.letters.clone()).collect::<Vec<_>>();
        told.with(|told| told.as_ref().map(pairs)).unwrap_or_default()
    };
    view! {
        <For each=shown key=|(key, _)| key.clone() children=move |(_, letter)| view! { <Letter section letter marked /> } />
    }
    .into_any()
}

/// The fold with the next page, if there is one. It is asked for when it is unfolded, and again only when it may have
/// changed: to find it the server passes all that lies in front.
fn next(section: Section, told: RwSignal<Option<Page>>, marked: RwSignal<Vec<String>>) -> AnyView {
    let has_next =
        Memo::new(move |_| told.with(|told| told.as_ref().is_some_and(|page| page.next.is_some())));
    view! { {move || has_next.get().then(|| view! { <Next section before=told marked /> })} }.into_any()
}

#[component]
fn Next(section: Section, before: RwSignal<Option<Page>>, marked: RwSignal<Vec<String>>) -> impl IntoView {
    let is_open = RwSignal::new(false);
    let (told, trouble) = (RwSignal::new(None), RwSignal::new(String::new()));
    let wanted = Memo::new(move |_| {
        let is_seen = is_open.get() && section.is_open.get();
        let place = |page: &Page| Some((page.next.clone()?, page.parked, page.changes));
        before.with(|before| before.as_ref().and_then(place)).filter(|_| is_seen)
    });
    let answer = LocalResource::new(move || {
        let wanted = wanted.get();
        async move {
            match wanted {
                Some((path, ..)) => Some(fetch::ask(&path, PATIENCE_MS).await),
                None => None,
            }
        }
    });
    Effect::new(move || {
        let page = answer.with(|answer| match answer.as_ref()?.as_ref()? {
            Ok(answer) => Some(Page::of(answer)),
            Err(problem) => Some(Err(problem.detail.clone())),
        });
        match page {
            None => {}
            Some(Ok(page)) => {
                section.keep_focus();
                trouble.set(String::new());
                told.set(Some(page));
            }
            Some(Err(why)) => {
                trouble.set(why);
                set_timeout(
                    move || {
                        if wanted.try_get_untracked().flatten().is_some() {
                            answer.refetch();
                        }
                    },
                    AGAIN,
                );
            }
        }
    });
    let toggled =
        move |event: ev::Event| is_open.set(event_target::<web_sys::Element>(&event).has_attribute("open"));
    let is_busy = Memo::new(move |_| told.with(|told: &Option<Page>| told.is_none()));
    let has_letters =
        Memo::new(move |_| told.with(|told| told.as_ref().is_some_and(|page| !page.letters.is_empty())));
    view! {
        <details class="desk-more" on:toggle=toggled>
            <summary>"Show more"</summary>
            <div class="part" aria-busy=move || is_busy.get().then_some("true")>
                {move || is_busy.get().then(|| view! { <Asking /> })}
                {move || has_letters.get().then(|| view! { <Together section told is_first=false /> })}
                {letters(section, told, marked)}
                {next(section, told, marked)}
            </div>
            <p role="alert" class=move || if trouble.with(String::is_empty) { "" } else { "field-error" }>
                {trouble}
            </p>
        </details>
    }
}

/// The time of day out of RFC 3339.
pub(super) fn clock(at: &str) -> &str {
    at.get(11..19).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn letter(id: &str) -> DeadLetter {
        DeadLetter {
            id: id.to_owned(),
            origin: "q".into(),
            message_id: "m".into(),
            correlation_id: None,
            message_type: "sku_processed".to_owned(),
            reason: "poison".to_owned(),
            attempts: Vec::new(),
            parked_at: None,
            body: "{}".to_owned(),
            is_text: true,
            body_bytes: 2,
            is_cut: false,
            headers: Vec::new(),
        }
    }

    #[test]
    fn a_page_says_how_many_are_parked_and_where_the_next_one_is() {
        let answer = fetch::Answer {
            text: serde_json::to_string(&[letter("a")]).unwrap(),
            link: Some("</api/choreography/dead-letters?after=a&limit=50>; rel=\"next\"".to_owned()),
            total: Some(7),
            changes: Some(3),
        };
        let page = Page::of(&answer).unwrap();
        assert_eq!((page.parked, page.changes, page.letters.len()), (7, 3, 1));
        assert_eq!(page.next.as_deref(), Some("/api/choreography/dead-letters?after=a&limit=50"));
        assert!(Page::of(&fetch::Answer::default()).unwrap_err().contains("not understood"));
    }

    #[test]
    fn letters_of_the_same_name_are_told_apart() {
        let two = keys(&[letter("a"), letter("a")]);
        assert_ne!(two[0], two[1]);
        let again = DeadLetter { parked_at: Some("2026-01-01T10:11:12Z".to_owned()), ..letter("a") };
        assert_ne!(keys(&[again])[0], two[0], "one that was replayed and has come back");
    }

    #[test]
    fn where_there_is_more_than_a_page_it_says_which_ones_are_meant() {
        assert_eq!(
            (which(2, true), which(2, false), which(1, false)),
            ("all".into(), "these 2".into(), "this one".into())
        );
        assert_eq!(question(2, true), "Discard all 2? They cannot be brought back.");
        assert_eq!(question(1, true), "Discard this message? It cannot be brought back.");
    }

    #[test]
    fn the_time_of_day_is_shown() {
        assert_eq!(clock("2026-01-01T10:11:12Z"), "10:11:12");
        assert_eq!(clock("soon"), "soon");
    }
}
