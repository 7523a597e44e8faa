//! What is selected, as JSON.

use crate::lab::selection::Selection;
use crate::lab::state::Look;
use flow::Event;

/// The event, or all steps of the message or arrival that are shown.
pub fn json(look: &Look<'_>) -> String {
    let focus = look.focus();
    let text = match (&look.lab.selected, focus.arrival) {
        (Some(Selection::Event(seq)), _) => serde_json::to_string_pretty(&look.history.event(*seq)),
        (Some(Selection::Message { id, queue }), Some(arrival)) => {
            let mut steps = look.steps(&arrival);
            let is_elsewhere = |event: &Event| {
                queue.is_some() && event.queue.is_some() && event.queue.as_ref() != queue.as_ref()
            };
            steps.retain(|event| event.message_id.as_ref() == Some(id) && !is_elsewhere(event));
            serde_json::to_string_pretty(&steps)
        }
        (_, Some(arrival)) => serde_json::to_string_pretty(&look.steps(&arrival)),
        (_, None) => return String::new(),
    };
    text.unwrap_or_default()
}
