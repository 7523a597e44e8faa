//! How places and lengths are written.

/// A length in the diagram's units, to a tenth. The standard library's exact formatting of floats weighs more
/// than all that is written with it.
#[derive(Debug, Clone, Copy)]
pub struct Px(pub f32);

impl std::fmt::Display for Px {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        #[expect(clippy::cast_possible_truncation, reason = "a place in a diagram")]
        let tenths = (self.0 * 10.0).round() as i32;
        let sign = if tenths < 0 { "-" } else { "" };
        let (whole, tenth) = (tenths.unsigned_abs() / 10, tenths.unsigned_abs() % 10);
        if tenth == 0 { write!(f, "{sign}{whole}") } else { write!(f, "{sign}{whole}.{tenth}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_written_to_a_tenth() {
        let written = [0.0, 12.0, 12.04, 12.06, -0.3, -7.25, 0.04].map(|at| Px(at).to_string());
        assert_eq!(written, ["0", "12", "12", "12.1", "-0.3", "-7.3", "0"]);
    }
}
