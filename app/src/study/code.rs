//! The running code: what does the step that is shown, as it stands in the source, with the lines that do it.

use crate::api::fetch;
use crate::lab::handle::{Lab, Pace};
use crate::lab::state::Look;
use crate::lab::words::sentence;
use flow::{Event, KindName, Node, Service, api::CodeStep};
use leptos::prelude::*;
use std::sync::Arc;

/// The step whose code is shown: of what kind it is, who took it, and what it is in words.
#[derive(Debug, Clone, Default, PartialEq)]
struct Shown {
    kind: Option<KindName>,
    node: Option<Node>,
    words: String,
}

/// How far back the newest step with code is looked for.
const REACH: usize = 200;

/// The newest step up to the playhead for which there is code.
fn shown(look: &Look<'_>, steps: &[CodeStep]) -> Shown {
    let has_code =
        |event: &&Arc<Event>| steps.iter().any(|step| does(step, event.kind.name(), event.node.as_ref()));
    let found = look.shown().take(REACH).find(has_code);
    found.map_or_else(Shown::default, |event| Shown {
        kind: Some(event.kind.name()),
        node: event.node.clone(),
        words: sentence(event),
    })
}

/// Whether that code takes such a step.
fn does(step: &CodeStep, kind: KindName, node: Option<&Node>) -> bool {
    let takes = |service: Service| node == Some(&Node::Service(service));
    step.kinds.contains(&kind) && step.node.is_none_or(takes)
}

/// The view.
pub fn code(lab: Lab) -> AnyView {
    let path = lab.peek(|state| state.shows().api("code")).unwrap_or_default();
    let steps = LocalResource::new(move || {
        let path = path.clone();
        async move { fetch::get::<Vec<CodeStep>>(&path).await.map_err(|problem| problem.detail) }
    });
    view! {
        <div class="code-view">
            {move || match steps.get() {
                None => view! { <p class="view-empty" role="status">"Fetching the code…"</p> }.into_any(),
                Some(Err(why)) => {
                    view! { <p class="view-empty" role="alert">{format!("The code cannot be shown: {why}.")}</p> }.into_any()
                }
                Some(Ok(steps)) => view! { <Running lab steps=Arc::new(steps) /> }.into_any(),
            }}
        </div>
    }
    .into_any()
}

#[component]
fn Running(lab: Lab, steps: Arc<Vec<CodeStep>>) -> impl IntoView {
    let of = Arc::clone(&steps);
    let now = Memo::new(move |_| lab.look(Pace::Calm, |look| shown(look, &of)));
    move || {
        let now = now.get();
        let Some(kind) = now.kind else {
            return view! { <p class="view-empty">"Nothing has run yet. Send an arrival, then go through it step by step."</p> }
                .into_any();
        };
        let own = steps.iter().filter(|step| does(step, kind, now.node.as_ref())).cloned();
        view! {
            <p class="code-step" role="status">
                {now.words}
            </p>
            <div class="code-functions">{own.map(|step| view! { <Function step /> }).collect_view()}</div>
        }
        .into_any()
    }
}

/// One function, with the lines that do the step.
#[component]
fn Function(step: CodeStep) -> impl IntoView {
    let CodeStep { source, marked, .. } = step;
    let first = source.line;
    let lines = source.code.lines().enumerate().map(|(at, text)| {
        let number = first + at;
        let is_marked = marked.is_empty() || marked.contains(&number);
        let line = format!("{number:>4}  {text}\n");
        if is_marked {
            view! { <mark>{line}</mark> }.into_any()
        } else {
            view! { <span>{line}</span> }.into_any()
        }
    });
    let place = format!("{}, line {first}", source.file);
    view! {
        <figure class="code-function" data-source=source.file.clone()>
            <figcaption class="breaks">{place.clone()}</figcaption>
            <pre tabindex="0" aria-label=place>
                {lines.collect_view()}
            </pre>
        </figure>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::api::Source;

    #[test]
    fn a_step_is_taken_by_the_code_of_its_kind_and_of_its_service_where_that_matters() {
        let source = Source { file: "a.rs".to_owned(), line: 1, code: String::new() };
        let step = |node| CodeStep {
            kinds: vec![KindName::StateChanged],
            node,
            source: source.clone(),
            marked: vec![],
        };
        let catalog = Node::Service(Service::Catalog);
        assert!(does(&step(None), KindName::StateChanged, Some(&catalog)));
        assert!(does(&step(Some(Service::Catalog)), KindName::StateChanged, Some(&catalog)));
        assert!(!does(&step(Some(Service::Wishlist)), KindName::StateChanged, Some(&catalog)));
        assert!(!does(&step(None), KindName::Acked, Some(&catalog)));
    }
}
