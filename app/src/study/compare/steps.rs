//! The steps of one style in words: what happened, and faint, what is still to come.

use super::score::Score;
use crate::lab::words::{duration, node_name, sentence};
use flow::compare::Ghost;
use flow::{History, KindName, Style};
use maud::{Markup, html};

/// How many steps of a burst are listed.
const LATEST: usize = 12;

/// The list of one style's steps, of `n` arrivals.
pub fn steps(score: &Score, style: Style, n: usize, history: &History) -> Markup {
    let ahead = score.ahead(style);
    let ghosts = ahead.steps();
    let all = score.shown().iter().filter(|moment| moment.style == style);
    let earlier = if n > 1 { all.clone().count().saturating_sub(LATEST) } else { 0 };
    let latest = all.skip(earlier).filter_map(|moment| Some((moment.after_us, history.event(moment.seq)?)));
    html! {
        section.card aria-labelledby={ "steps-" (style) } {
            h2 id={ "steps-" (style) } { "Steps in " (style) }
            @if earlier > 0 { p.soft.duel-source { (earlier) " steps before these." } }
            ol.duel-steps {
                @for (after_us, event) in latest {
                    li data-step=(event.kind.name()) {
                        span {
                            @if n > 1 { @if let Some(sku) = event.sku { span.soft { (sku) " " } } }
                            (sentence(event))
                        }
                        span.soft { "+" (duration(after_us)) }
                    }
                }
                @for (ghost, count) in &ghosts {
                    li.is-ghost {
                        span { span.sr-only { "Still to come: " } (foreseen(ghost)) }
                        @if n > 1 { span { (count) "×" } }
                    }
                }
            }
            @if !ghosts.is_empty() {
                p.soft.duel-source {
                    @if ahead.is_learned() { "Faint: still to come, as an earlier arrival went." }
                    @else { "Faint: still to come, as this style is known to go." }
                }
            }
        }
    }
}

fn foreseen(ghost: &Ghost) -> String {
    let who = node_name(Some(&ghost.node));
    let queue = ghost.queue.as_deref().unwrap_or("its queue");
    match ghost.kind {
        KindName::ArrivalReceived => "The arrival is received".to_owned(),
        KindName::StockRecorded => "The stock is recorded".to_owned(),
        KindName::Published => format!("{who} publishes"),
        KindName::Routed => format!("Into {queue}"),
        KindName::Delivered => format!("Delivered to {who}"),
        KindName::HttpRequest => format!("{who} asks over HTTP"),
        KindName::HttpResponse => format!("{who} gets its answer"),
        KindName::StateChanged => format!("{who} stores what is for sale"),
        _ => format!("{who} acks"),
    }
}
