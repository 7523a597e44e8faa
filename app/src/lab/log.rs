//! The log: what the picture shows, as an ordered list in words, the most recent last.

use super::journey::mark_of;
use super::selection::Selection;
use super::state::Look;
use super::words::{node_name, provenance, sentence, time_of_day};
use super::zone;
use flow::{Event, Id, KindName, Node, Service};
use maud::{Markup, html};
use std::sync::Arc;

/// How many rows are shown at first, and how many more each time one asks.
pub const ROWS: usize = 200;
/// How many are enough while more comes than anybody can read.
const ROWS_BEHIND: usize = 30;

/// The fields that say which events are listed, as they are called in the page and in its address.
pub const FIELDS: [&str; 4] = ["log-who", "log-kind", "log-sku", "log-arrival"];

/// Which events are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only what this node did.
    pub who: Option<Node>,
    /// Filter by kind.
    pub kind: Option<KindName>,
    /// Filter by SKU.
    pub sku: String,
    /// Only the selected arrival's steps.
    pub of_arrival: bool,
    /// How many more rows than at first were asked for.
    pub more: usize,
}

impl Filter {
    fn lets_through(&self, event: &Event, arrival: Option<&str>) -> bool {
        self.who.as_ref().is_none_or(|who| event.node.as_ref() == Some(who))
            && self.kind.is_none_or(|kind| event.kind.name() == kind)
            && (self.sku.is_empty() || event.sku.is_some_and(|sku| sku.as_str().starts_with(&*self.sku)))
            && (!self.of_arrival || arrival.is_none() || event.correlation_id.as_deref() == arrival)
    }

    /// The fields that are set, and what stands in them.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, String)> {
        let values = [
            self.who.as_ref().map(Node::to_string),
            self.kind.map(|kind| kind.to_string()),
            (!self.sku.is_empty()).then(|| self.sku.clone()),
            self.of_arrival.then(|| "on".to_owned()),
        ];
        FIELDS.into_iter().zip(values).filter_map(|(name, value)| Some((name, value?)))
    }

    fn is_on(&self) -> bool {
        *self != Self { more: self.more, ..Self::default() }
    }
}

/// The log of this page's style.
#[must_use]
pub fn panel(look: &Look<'_>) -> Markup {
    let filter = &look.lab.views.filter;
    let arrival = if filter.of_arrival { look.focus().arrival } else { None };
    let rows = if look.lab.behind { ROWS_BEHIND } else { ROWS + filter.more };
    let mut events: Vec<_> = look
        .shown()
        .filter(|event| filter.lets_through(event, arrival.as_deref()))
        .take(rows + 1)
        .cloned()
        .collect();
    let first = look.history.events().front().map_or(look.history.reach().0 + 1, |event| event.seq);
    let has_more = events.len() > rows || look.reach.0 + 1 < first;
    events.truncate(rows);
    events.reverse();
    log(&events, has_more, look)
}

/// Whether fewer rows are at hand than are asked for.
#[must_use]
pub fn lacks_rows(look: &Look<'_>) -> bool {
    let filter = &look.lab.views.filter;
    let arrival = if filter.of_arrival { look.focus().arrival } else { None };
    let fitting = look.shown().filter(|event| filter.lets_through(event, arrival.as_deref()));
    fitting.take(ROWS + filter.more).count() < ROWS + filter.more
}

/// What stands above the rows: which of them are wanted.
#[must_use]
pub fn tools(look: &Look<'_>) -> Markup {
    let filter = &look.lab.views.filter;
    let off = !look.lab.hydrated;
    let services = Service::ALL.iter().map(|&service| Node::from(service));
    let nodes = services.chain([Node::Warehouse, Node::Storefront, Node::Broker]);
    html! {
        select.input.input-small data-field="log-who" aria-label="Filter by service" disabled[off] {
            option value="" selected[filter.who.is_none()] { "Everybody" }
            @for node in nodes {
                option value=(node) selected[filter.who.as_ref() == Some(&node)] { (node_name(Some(&node))) }
            }
        }
        select.input.input-small data-field="log-kind" aria-label="Filter by kind" disabled[off] {
            option value="" selected[filter.kind.is_none()] { "All kinds" }
            @for kind in KindName::ALL {
                option value=(kind) selected[filter.kind == Some(*kind)] { (kind.as_str().replace('_', " ")) }
            }
        }
        input.input.input-small.log-sku-field data-field="log-sku" value=(filter.sku) placeholder="SKU" size="10"
            aria-label="Filter by SKU" autocomplete="off" spellcheck="false" disabled[off];
        label.check {
            input type="checkbox" data-field="log-arrival" checked[filter.of_arrival] disabled[off];
            "Selected arrival only"
        }
        (zone::button(off))
    }
}

/// The rows. Only the last is a stop for the Tab key; the arrows lead to the others.
fn log(events: &[Arc<Event>], has_more: bool, look: &Look<'_>) -> Markup {
    let (style, selected) = (look.lab.style, look.lab.selected.as_ref());
    let last = events.last().map(|event| event.seq);
    html! {
        @if events.is_empty() {
            p.view-empty {
                @if look.lab.views.filter.is_on() { "No step matches the filter." } @else { "Nothing has happened yet." }
            }
        }
        ol.log-rows data-follow="log" aria-label="Log" {
            @if has_more && look.lab.behind {
                li.log-hurry data-key="hurry" { "These are the latest steps only. Pause the view to read them all." }
            } @else if has_more {
                li data-key="more" {
                    button.button.button-small.log-more type="button" data-act="log-more" { "Show older steps" }
                }
            }
            @for event in events {
                @let pick = Selection::Event(event.seq);
                li data-key=(event.seq) {
                    button.log-row .is-selected[selected == Some(&pick)] type="button" data-pick=(pick)
                        tabindex=(if last == Some(event.seq) { "0" } else { "-1" }) {
                        span.log-time { (time_of_day(event.at_us)) }
                        span class={ "mark mark-" (mark_of(event, style)) } aria-hidden="true" {}
                        span.log-words { (sentence(event)) }
                        span.log-sku { @if let Some(sku) = event.sku { (sku) } }
                        span.log-by title="Source" { (provenance(event.provenance)) }
                    }
                }
            }
        }
    }
}

/// One of its fields was changed; `false` when it is none of them.
pub fn typed(filter: &mut Filter, name: &str, value: &str) -> bool {
    match name {
        "log-who" => filter.who = (!value.is_empty()).then(|| Node::from(Id::from(value))),
        "log-kind" => filter.kind = value.parse().ok(),
        "log-sku" => filter.sku = value.trim().to_ascii_uppercase(),
        "log-arrival" => filter.of_arrival = !filter.of_arrival,
        _ => return false,
    }
    filter.more = 0;
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::{Kind, Provenance, Sku};

    #[test]
    fn a_filter_lets_through_what_fits_all_of_it() {
        let mut event = Event::new(1, Provenance::Service, Kind::HandlerStarted);
        (event.node, event.sku) = (Some(Node::from(Service::Catalog)), Sku::parse("MUG-RED").ok());
        event.correlation_id = Some("a".into());
        let mut filter = Filter::default();
        assert!(filter.lets_through(&event, None) && !filter.is_on());
        for (name, fits, fits_not) in [
            ("log-who", "catalog", "wishlist"),
            ("log-kind", "handler_started", "acked"),
            ("log-sku", "mug", "pen"),
        ] {
            assert!(typed(&mut filter, name, fits_not) && !filter.lets_through(&event, None), "{name}");
            assert!(typed(&mut filter, name, fits) && filter.lets_through(&event, None), "{name}");
        }
        assert!(typed(&mut filter, "log-arrival", "on"));
        assert!(filter.lets_through(&event, Some("a")) && !filter.lets_through(&event, Some("b")));
        assert!(filter.is_on() && !typed(&mut filter, "sku", ""));
    }
}
