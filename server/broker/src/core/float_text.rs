//! Floating-point numbers as Erlang writes them, and so RabbitMQ in its error texts.

/// From here on not every whole number is a double, and Erlang does not pretend it were.
const FIRST_INEXACT: f64 = 9_007_199_254_740_992.0;

/// The shortest digits that read back as the same number; in scientific notation where that is shorter (Erlang/OTP's
/// `float_to_list(Float, [short])`).
pub(crate) fn erlang_float(number: f64) -> String {
    let sign = if number.is_sign_negative() { "-" } else { "" };
    if number == 0.0 {
        return format!("{sign}0.0");
    }
    let scientific = format!("{:e}", number.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let digits = mantissa.replace('.', "");
    let exponent: i32 = exponent.parse().unwrap_or(0);
    // Where the point stands: so many digits are before it.
    let place = exponent + 1;
    let length = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or(0));
    let exponent_cost =
        i32::try_from(exponent.to_string().len()).unwrap_or(0) + 1 + if length == 1 { 2 } else { 1 };
    let (first, rest) = digits.split_at(1);
    let rest = if rest.is_empty() { "0" } else { rest };
    let text = if (1..length).contains(&place) {
        let (before, after) = digits.split_at(usize::try_from(place).unwrap_or(0));
        format!("{before}.{after}")
    } else if place == 0 || (place < 0 && 2 - place <= exponent_cost) {
        format!("0.{}{digits}", zeros(-place))
    } else if place >= length && place - length + 2 <= exponent_cost && number.abs() < FIRST_INEXACT {
        format!("{digits}{}.0", zeros(place - length))
    } else {
        format!("{first}.{rest}e{exponent}")
    };
    format!("{sign}{text}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What Erlang/OTP 25 says.
    #[test]
    fn numbers_are_written_like_erlang_does() {
        for (number, text) in [
            (1.0, "1.0"),
            (-2.5, "-2.5"),
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (0.1, "0.1"),
            (0.05, "0.05"),
            (0.001, "0.001"),
            (1e-4, "0.0001"),
            (1e-5, "1.0e-5"),
            (1e-7, "1.0e-7"),
            (0.0012, "0.0012"),
            (0.000_12, "1.2e-4"),
            (0.000_123_456, "1.23456e-4"),
            (f64::from(0.1_f32), "0.10000000149011612"),
            (100.0, "100.0"),
            (1e3, "1.0e3"),
            (120.0, "120.0"),
            (1200.0, "1.2e3"),
            (12.3e6, "1.23e7"),
            (123_456_789.125, "123456789.125"),
            (9_007_199_254_740_991.0, "9007199254740991.0"),
            (9_007_199_254_740_992.0, "9.007199254740992e15"),
            (1.234_567_890_123_456_8e17, "1.2345678901234568e17"),
            (1e22, "1.0e22"),
            (f64::MAX, "1.7976931348623157e308"),
            (5e-324, "5.0e-324"),
        ] {
            assert_eq!(erlang_float(number), text);
        }
    }

    proptest! {
        #[test]
        fn a_written_number_reads_back_as_itself(number in any::<f64>().prop_filter("finite", |n| n.is_finite())) {
            prop_assert_eq!(erlang_float(number).parse::<f64>().unwrap().to_bits(), number.to_bits());
        }
    }
}
