//! What handlers stored: each number before and after.

use super::told::Block;
use crate::lab::words::node_name;
use flow::event::State;
use flow::{Event, Kind};

/// What these events stored, each under the name of who did.
pub fn stored<'a>(events: impl IntoIterator<Item = &'a Event>) -> Vec<Block> {
    let told = |event: &Event| {
        let (Kind::StateChanged { before, after } | Kind::StockRecorded { before, after, .. }) = &event.kind
        else {
            return None;
        };
        let who = node_name(event.node.as_ref()).to_ascii_lowercase();
        Some([Block::Heading(format!("Stored by {who}")), Block::Stored(numbers(*before, *after))])
    };
    events.into_iter().filter_map(told).flatten().collect()
}

fn numbers(before: Option<State>, after: State) -> Vec<(&'static str, String, String)> {
    let pick = |name, of: &dyn Fn(State) -> Option<String>| {
        let after = of(after)?;
        Some((name, before.and_then(of).unwrap_or_else(|| "–".to_owned()), after))
    };
    let on_hand = pick("on hand", &|state| state.on_hand.map(|number| number.to_string()));
    let rest = [
        pick("for sale", &|state| Some(state.quantity.to_string())),
        pick("available", &|state| Some(if state.available { "yes" } else { "no" }.to_owned())),
        pick("version", &|state| Some(state.version.to_string())),
    ];
    on_hand.into_iter().chain(rest.into_iter().flatten()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_effect_shows_each_number_before_and_after() {
        let state = |quantity| State {
            on_hand: None,
            available: quantity > 0,
            quantity,
            version: u64::from(quantity),
            points: None,
        };
        let rows = numbers(Some(state(0)), state(12));
        let expected = [("for sale", "0", "12"), ("available", "no", "yes"), ("version", "0", "12")];
        assert_eq!(rows, expected.map(|(name, before, after)| (name, before.to_owned(), after.to_owned())));
    }
}
