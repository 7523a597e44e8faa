//! The few drawn signs in the diagram. They grow with its text.

use super::mark::Mark;
use flow::layout::Px;
use flow::layout::{Point, Rect};

fn placed(at: Point, scale: f32) -> String {
    // A scale needs more than a tenth; one hundredth is more than the eye sees.
    #[expect(clippy::cast_possible_truncation, reason = "between one and two")]
    let hundredths = (scale * 100.0).round() as i32;
    format!("translate({} {}) scale({}.{:02})", Px(at.x), Px(at.y), hundredths / 100, hundredths % 100)
}

/// A truck, in the middle of its square.
pub(super) fn truck(within: Rect, scale: f32) -> Mark {
    let wheel = |x| Mark::circle("", Point { x, y: 8.0 }, 3.0);
    let marks = vec![Mark::path("", "M-17 -9h18v16h-18zM1 -3h8l5 5v5h-13"), wheel(-11.0), wheel(7.0)];
    Mark::group("sign", Some(placed(within.middle(), scale)), true, marks)
}

/// One line that becomes three: copies for everybody.
pub(super) fn fanout(at: Point, scale: f32) -> Mark {
    Mark::sign("icon-message", "M-9 0h15M-3 0c3 0 3 -7 9 -7M-3 0c3 0 3 7 9 7", placed(at, scale))
}

/// One line that goes one of several ways: by its key.
pub(super) fn direct(at: Point, scale: f32) -> Mark {
    Mark::sign("icon-message", "M-9 0h5M-1 -3h3v-4h5M-1 0h8M-1 3h3v4h5", placed(at, scale))
}

/// A small drum: what a service has stored.
pub(super) fn store(at: Point, scale: f32) -> Mark {
    const DRUM: &str = "M0 -7v6c0 2.6 8 2.6 8 0v-6M0 -7c0 2.6 8 2.6 8 0c0 -2.6 -8 -2.6 -8 0";
    Mark::sign("icon-store", DRUM, placed(at, scale))
}
