//! Times for people. They stay in UTC: the server cannot know the reader's zone, and both must render the same.

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `23 Nov, 08:41:07` for `2026-11-23T08:41:07.123Z`; a text that is no RFC 3339 time stays as it is.
pub fn when(time: &str) -> String {
    read(time).unwrap_or_else(|| time.to_owned())
}

fn read(time: &str) -> Option<String> {
    let (date, rest) = time.split_once(['T', ' '])?;
    let clock = rest.get(..8)?;
    let mut parts = date.split('-').skip(1);
    let month: usize = parts.next()?.parse().ok()?;
    let day: u8 = parts.next()?.parse().ok()?;
    Some(format!("{day} {}, {clock}", MONTHS.get(month.checked_sub(1)?)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_shown_to_the_second() {
        assert_eq!(when("2026-11-23T08:41:07.123456Z"), "23 Nov, 08:41:07");
        assert_eq!(when("2026-01-02T00:00:00Z"), "2 Jan, 00:00:00");
    }

    #[test]
    fn what_is_no_time_stays_as_it_is() {
        for text in ["", "yesterday", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-11-23T08"] {
            assert_eq!(when(text), text);
        }
    }
}
