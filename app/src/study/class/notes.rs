//! What a presenter wants to know of the lesson that the room sees: this beat, what to say, and the next one.

use super::Class;
use crate::api::fetch;
use leptos::{prelude::*, task::spawn_local};
use lessons::{Beat, Lesson};
use std::sync::Arc;

/// The lesson and the place of the beat that an address shows.
fn shown(address: &str) -> Option<(String, usize)> {
    let (page, query) = address.split_once('?').unwrap_or((address, ""));
    let lesson = page.strip_prefix("/learn/").filter(|id| !id.is_empty())?;
    let number = query.split('&').find_map(|field| field.strip_prefix("beat=")?.parse::<usize>().ok());
    Some((lesson.to_owned(), number.unwrap_or(1).saturating_sub(1)))
}

/// The lesson that the room sees, on the presenter's desk.
#[component]
pub fn Notes(class: Class) -> impl IntoView {
    let shown = class.read(|view| shown(&view.address));
    let id = Memo::new(move |_| shown.with(|shown| shown.as_ref().map(|(id, _)| id.clone())));
    let lesson = RwSignal::new(None::<Arc<Lesson>>);
    Effect::new(move || {
        let Some(id) = id.get() else { return lesson.set(None) };
        spawn_local(async move {
            let told = fetch::get::<Lesson>(&format!("/api/lessons/{id}")).await;
            lesson.try_set(told.ok().map(Arc::new));
        });
    });
    move || {
        let (lesson, (_, at)) = (lesson.get()?, shown.get()?);
        let count = lesson.beats.len();
        let beat = |place: usize, heading: &'static str| {
            let beat = lesson.beats.get(place)?.clone();
            Some(view! { <Told heading=format!("{heading}: step {} of {count}", place + 1) beat /> })
        };
        let end = (at + 1 >= count).then(|| view! { <p class="hint">"Then the lesson is over."</p> });
        Some(view! {
            <section class="card class-notes" aria-labelledby="class-notes">
                <h2 id="class-notes">{lesson.title.clone()}</h2>
                {beat(at, "Now")}
                {beat(at + 1, "Next")}
                {end}
            </section>
        })
    }
}

/// One beat in short.
#[component]
fn Told(heading: String, beat: Beat) -> impl IntoView {
    let asked = beat.ask.map(|ask| view! { <p class="hint">{format!("Asked: {}", ask.question)}</p> });
    let done = beat.act.map(|act| view! { <p class="hint">{format!("Done by: {}", act.button)}</p> });
    let notes = beat.notes.map(|notes| view! { <p class="class-note">{notes}</p> });
    view! {
        <h3>{heading}</h3>
        <p>
            <strong>{beat.title}</strong>
        </p>
        <p>{beat.text}</p>
        {asked}
        {done}
        {notes}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_which_beat_of_which_lesson_the_room_sees() {
        assert_eq!(shown("/learn/the-inbox?beat=4"), Some(("the-inbox".to_owned(), 3)));
        assert_eq!(shown("/learn/the-inbox"), Some(("the-inbox".to_owned(), 0)));
        assert_eq!(shown("/learn/the-inbox?beat=0"), Some(("the-inbox".to_owned(), 0)));
        assert_eq!(shown("/learn"), None);
        assert_eq!(shown("/lab/choreography?beat=4"), None);
    }
}
