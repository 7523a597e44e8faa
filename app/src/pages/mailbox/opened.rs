//! The e-mail that is being read.

use super::delivery::{Delayed, DeliveryPill, has_left};
use super::letter::Letter;
use super::{Desk, MAILBOX};
use crate::api::fetch;
use crate::components::StyleMark;
use crate::pages::when::when;
use flow::Style;
use flow::api::{Delivery, Problem};
use leptos::prelude::*;

/// An open e-mail, and the way back to the list where there is no room for both.
#[component]
pub fn Opened(
    desk: Desk,
    /// The system that it comes from.
    style: Style,
    id: i64,
) -> impl IntoView {
    let letter = Memo::new(move |_| desk.letter(style, id));
    view! {
        <a class="button button-small mail-back" href=MAILBOX on:click=move |event| desk.open(&event, None)>
            <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
                <path d="M16 10H4M9 5l-5 5 5 5"></path>
            </svg>
            "All e-mails"
        </a>
        <article class="letter card" aria-labelledby="letter-subject">
            {move || letter.get().map(|letter| view! { <LetterFacts letter /> })}
            <Text desk style id />
        </article>
    }
}

/// What is known of it.
#[component]
pub fn LetterFacts(letter: Letter) -> impl IntoView {
    let Letter { style, email } = letter;
    let delivery = match email.delivery {
        Delivery::None => "kept here; no SMTP server is named".into_any(),
        delivery => view! { <DeliveryPill delivery /> }.into_any(),
    };
    let arrival = email.correlation_id.as_ref().map(|id| {
        view! {
            <dt>"Arrival"</dt>
            <dd>
                <code>{id.to_string()}</code>
            </dd>
        }
    });
    view! {
        <h2 id="letter-subject">{email.subject.clone()}</h2>
        <dl class="letter-facts">
            <dt>"To"</dt>
            <dd>{email.to.clone()}</dd>
            // Both words mean the same time: it is stored with the reason for it.
            <dt>{if has_left(email.delivery) { "Sent" } else { "Written" }}</dt>
            <dd>
                <time datetime=email.sent_at.clone()>{when(&email.sent_at)}</time>
                " UTC"
            </dd>
            <dt>"Product"</dt>
            <dd>
                <code>{email.sku.to_string()}</code>
            </dd>
            <dt>"By"</dt>
            <dd>
                <StyleMark style />
                {style.as_str()}
            </dd>
            {arrival}
            <dt>"Delivery"</dt>
            <dd>{delivery}</dd>
        </dl>
        <Delayed email />
    }
}

/// The e-mail itself, in a frame of its own in which it can do nothing; or as it goes over the wire.
#[component]
fn Text(desk: Desk, style: Style, id: i64) -> impl IntoView {
    let as_source = desk.as_source;
    let path = format!("/api/{style}/wishlist/emails/{id}");
    let to = untrack(|| desk.letter(style, id)).map(|letter| letter.email.to).unwrap_or_default();
    view! {
        <div class="segments letter-tabs" role="group" aria-label="Show the e-mail">
            <Tab words="Rendered" as_source is_source=false />
            <Tab words="Source" as_source is_source=true />
        </div>
        {move || if as_source.get() {
            view! { <Source path=format!("{path}/source") /> }.into_any()
        } else {
            view! {
                <iframe
                    class="letter-frame"
                    title=format!("E-mail to {to}")
                    sandbox="allow-popups allow-popups-to-escape-sandbox"
                    src=format!("{path}/html")
                ></iframe>
            }
            .into_any()
        }}
    }
}

#[component]
fn Tab(words: &'static str, as_source: RwSignal<bool>, is_source: bool) -> impl IntoView {
    view! {
        <button
            class="segment"
            type="button"
            aria-pressed=move || (as_source.get() == is_source).to_string()
            on:click=move |_| as_source.set(is_source)
        >
            {words}
        </button>
    }
}

/// What is known of a source.
type Known = Option<Result<String, Problem>>;

/// The e-mail as it goes over the wire, once that has come. Only a browser asks for it.
#[component]
fn Source(path: String) -> impl IntoView {
    let source = LocalResource::new(move || {
        let path = path.clone();
        async move { fetch::send("GET", &path, None).await }
    });
    move || view! { <Shown known=source.get() /> }
}

/// What there is to see of a source.
#[component]
fn Shown(known: Known) -> impl IntoView {
    let (shown, wrong) = match known {
        None => (view! { <p class="hint">"Asking the server…"</p> }.into_any(), None),
        Some(Ok(text)) => (view! { <pre tabindex="0" aria-label="Source">{text}</pre> }.into_any(), None),
        Some(Err(problem)) => (().into_any(), Some(problem.detail)),
    };
    view! {
        <div class="letter-source">{shown}</div>
        <p class="field-error" role="alert">
            {wrong}
        </p>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_of_an_email_is_shown_once_it_has_come_and_else_why_not() {
        let drawn = |known: Known| Owner::new().with(|| view! { <Shown known /> }.to_html());
        assert!(drawn(None).contains("Asking the server…"));
        let came = drawn(Some(Ok("To: <ada@example.com>".to_owned())));
        assert!(came.contains("To: &lt;ada@example.com&gt;") && !came.contains("Asking"), "{came}");
        let problem = Problem {
            problem_type: "about:blank".to_owned(),
            title: "Gone".to_owned(),
            status: 410,
            detail: "It was thrown away.".to_owned(),
        };
        let failed = drawn(Some(Err(problem)));
        assert!(failed.contains("It was thrown away.") && !failed.contains("Asking"), "{failed}");
    }
}
