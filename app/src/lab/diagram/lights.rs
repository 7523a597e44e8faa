//! What lights up for a moment: a store that has changed and, with reduced motion, everything something
//! passes.

use super::animation::Animation;
use super::tokens::set;

/// How long something stays lit.
const LIGHT_MS: f64 = 900.0;

impl Animation {
    /// With reduced motion nothing travels: source, line and target light up in turn.
    pub(super) fn light_in_turn(&mut self, from: &str, edge: &str, to: &str, lasts_ms: f64) {
        for (turn, name) in [(0.0, from), (1.0, edge), (2.0, to)] {
            let selector = if turn == 1.0 {
                format!("[data-edge=\"{name}\"]")
            } else {
                let (mark, name) = match (name.strip_suffix(".retry"), name.strip_suffix(".dead")) {
                    (Some(queue), _) => ("loop", queue),
                    (_, Some(queue)) => ("tray", queue),
                    _ => ("queue", name),
                };
                format!("[data-node=\"{name}\"], [data-{mark}=\"{name}\"]")
            };
            self.light(&selector, turn * lasts_ms / 3.0);
        }
    }

    /// Lights something up, now or a little later.
    pub(super) fn light(&mut self, selector: &str, after_ms: f64) {
        let Some(canvas) = &self.canvas else { return };
        let Ok(Some(element)) = canvas.query_selector(selector) else { return };
        let until_ms = self.now_ms + after_ms + LIGHT_MS;
        if let Some(known) = self.lit.iter_mut().find(|(_, lit)| *lit == element) {
            known.0 = until_ms;
            return;
        }
        self.lit.push((until_ms, element));
    }

    pub(super) fn put_out_lights(&mut self) {
        let now_ms = self.now_ms;
        self.lit.retain(|(until_ms, element)| {
            if *until_ms <= now_ms {
                // Removing what is not there is no error.
                let _ = element.remove_attribute("data-lit");
            } else if *until_ms - LIGHT_MS <= now_ms && !element.has_attribute("data-lit") {
                set(element, "data-lit", "");
            }
            *until_ms > now_ms
        });
        let before = self.listed.len();
        self.listed.retain(|(until_ms, _)| *until_ms > now_ms);
        if self.listed.len() != before {
            self.tell_list();
        }
    }
}
