//! What stands above the log: which steps are listed. The address says it too.

use super::super::handle::{Lab, Pace};
use super::super::state::Look;
use super::super::words::node_name;
use super::super::zone::ZoneButton;
use super::{ROWS, lacks_rows, typed};
use flow::{History, KindName, Node, Service};
use leptos::{ev, html, prelude::*, task::spawn_local};

/// The fields of the filter, and the zone of the times.
#[component]
pub fn LogTools(
    /// The lab whose log is shown.
    lab: Lab,
    /// Whether they do not work yet.
    is_off: Memo<bool>,
) -> impl IntoView {
    let filter = Memo::new(move |_| lab.look(Pace::Calm, |look| look.lab.views.filter.clone()));
    let who = Signal::derive(move || filter.with(|filter| text(filter.who.as_ref())));
    let kind = Signal::derive(move || filter.with(|filter| text(filter.kind)));
    view! {
        <Choice lab is_off name="log-who" label="Filter by service" value=who options=services() />
        <Choice lab is_off name="log-kind" label="Filter by kind" value=kind options=kinds() />
        <input
            class="input input-small log-sku-field"
            placeholder="SKU"
            size="10"
            aria-label="Filter by SKU"
            autocomplete="off"
            spellcheck="false"
            disabled=is_off
            prop:value=move || filter.with(|filter| filter.sku.clone())
            on:input=move |event| set(lab, "log-sku", &event_target_value(&event))
        />
        <label class="check">
            <input
                type="checkbox"
                disabled=is_off
                prop:checked=move || filter.with(|filter| filter.of_arrival)
                on:change=move |_| set(lab, "log-arrival", "")
            />
            "Selected arrival only"
        </label>
        <ZoneButton lab is_off />
    }
}

/// A value of the filter as its field has it.
fn text(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn set(lab: Lab, field: &str, value: &str) {
    lab.change(|state| _ = typed(&mut state.views.filter, field, value));
}

/// What can be chosen, as value and words.
type Options = Vec<(String, String)>;

fn services() -> Options {
    let services = Service::ALL.iter().map(|&service| Node::from(service));
    let nodes = services.chain([Node::Warehouse, Node::Storefront, Node::Broker]);
    let named = nodes.map(|node| (node.to_string(), node_name(Some(&node)).to_owned()));
    std::iter::once((String::new(), "Everybody".to_owned())).chain(named).collect()
}

fn kinds() -> Options {
    let named = KindName::ALL.iter().map(|kind| (kind.to_string(), kind.as_str().replace('_', " ")));
    std::iter::once((String::new(), "All kinds".to_owned())).chain(named).collect()
}

/// A field in which one of several is chosen. It shows what the filter says, whoever has set it.
#[component]
fn Choice(
    lab: Lab,
    is_off: Memo<bool>,
    /// The field's name in the address.
    name: &'static str,
    label: &'static str,
    value: Signal<String>,
    options: Options,
) -> impl IntoView {
    let select = NodeRef::<html::Select>::new();
    // A value that is set before the options are there is lost.
    Effect::new(move || {
        if let Some(select) = select.get() {
            value.with(|value| select.set_value(value));
        }
    });
    let options = options.into_iter().map(|(value, words)| view! { <option value=value>{words}</option> });
    view! {
        <select
            class="input input-small"
            node_ref=select
            aria-label=label
            disabled=is_off
            on:change=move |event: ev::Event| set(lab, name, &event_target_value(&event))
        >
            {options.collect_view()}
        </select>
    }
}

/// Lists more steps, and fetches them where they are not at hand: with a filter few of many may fit.
pub(super) fn show_older(lab: Lab) {
    lab.change(|state| state.views.filter.more += ROWS);
    let lacks = move || {
        lab.peek(|state| lab.live.with_history(|history| lacks_rows(&Look::of(state, history)))) == Some(true)
    };
    spawn_local(async move {
        while lacks() {
            let first = |history: &History| history.reach().0;
            let before = lab.live.with_history(first);
            let outcome = lab.live.fetch_older().await;
            let is_over = outcome.is_err() || lab.live.with_history(first) == before;
            lab.change(|state| state.notice = outcome.err());
            if is_over {
                break;
            }
        }
    });
}
