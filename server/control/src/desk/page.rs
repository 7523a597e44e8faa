//! One page of what is parked, bounded in letters, bytes and time.
//!
//! AMQP has no way to look into the middle of a queue. So a page begins at the head of its queue and passes all that
//! stands in front of it; of what it passes it keeps a number each, and no body.

use super::{DeskError, parked::fingerprint, visit::Visit};
use flow::{Service, System, api::DeadLetter, topology::Queue};
use std::{collections::HashMap, io, time::Duration};
use tokio::time::Instant;

/// The most letters in one page.
pub const PAGE_MAX: usize = 500;
/// How many letters a page has, unless somebody says otherwise.
pub const PAGE_DEFAULT: usize = 100;
/// The most bytes of one page, as JSON; a letter alone may have more.
const PAGE_MAX_BYTES: usize = 4 * 1024 * 1024;

/// The place behind a letter, where the next page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    pub id: String,
    /// Which of the letters of that name in its queue, from 1: names can come more than once.
    pub nth: u32,
}

impl Cursor {
    /// A place in one of the system's dead-letter queues.
    ///
    /// # Errors
    /// When there can be no such letter.
    pub fn parse(system: System, id: String, nth: u32) -> Result<Self, DeskError> {
        if nth == 0 || place(system, &id).is_none() {
            return Err(DeskError::NoCursor { id, system });
        }
        Ok(Self { id, nth })
    }
}

/// The place, among the system's queues, of the one from which a letter comes.
pub(super) fn place(system: System, id: &str) -> Option<usize> {
    Service::ALL.iter().position(|&service| belongs(id, system.queue_of(service)))
}

/// Whether a letter's name says that it is parked in that queue.
pub(super) fn belongs(id: &str, queue: &Queue) -> bool {
    id.strip_prefix(queue.dead).is_some_and(|rest| rest.starts_with(':'))
}

#[derive(Debug, Clone)]
pub struct Wanted {
    /// Behind which letter it begins; at the oldest without one.
    pub after: Option<Cursor>,
    /// How many letters it has at most.
    pub limit: usize,
    /// How long it may take to be found, while others wait for their turn at the desk: what lies deeper is not listed.
    pub patience: Duration,
}

#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The letters, queue by queue, oldest first within each.
    pub letters: Vec<DeadLetter>,
    /// How many were parked in the system when it was read, on all pages.
    pub parked: u64,
    /// Where the next page begins, if there is more.
    pub next: Option<Cursor>,
    /// What the letters take as JSON.
    bytes: usize,
    last: Option<Cursor>,
}

impl Page {
    /// An empty one, where so many letters are parked.
    pub(super) fn of(parked: u64) -> Self {
        Self { parked, ..Self::default() }
    }

    /// Takes a letter; not one by which it would become too large.
    pub(super) fn take(&mut self, letter: DeadLetter, nth: u32) -> bool {
        let bytes = json_bytes(&letter);
        if !self.letters.is_empty() && self.bytes + bytes > PAGE_MAX_BYTES {
            return false;
        }
        self.bytes += bytes;
        self.last = Some(Cursor { id: letter.id.clone(), nth });
        self.letters.push(letter);
        true
    }

    /// Says that it ends here; `has_more` when something is behind it.
    pub(super) fn ends(mut self, has_more: bool) -> Self {
        self.next = self.last.take().filter(|_| has_more);
        self
    }
}

/// Reads a page of those queues, which are the system's, in the order of their services.
pub(super) async fn read(
    visit: &Visit,
    system: System,
    queues: &[&'static Queue],
    wanted: &Wanted,
) -> Result<Page, DeskError> {
    let until = Instant::now() + wanted.patience;
    let mut waiting = Vec::with_capacity(queues.len());
    for queue in queues {
        waiting.push(visit.waiting(queue).await?);
    }
    let mut page = Page::of(waiting.iter().sum());
    let mut seen = Seen::default();
    let mut start = 0;
    if let Some(after) = &wanted.after {
        start =
            place(system, &after.id).ok_or_else(|| DeskError::NoCursor { id: after.id.clone(), system })?;
        // Its service may have left since the page before.
        let queue = *queues.get(start).ok_or_else(|| DeskError::CursorGone(after.id.clone()))?;
        pass(visit, queue, after, &mut seen, until).await?;
    }
    for (at, queue) in queues.iter().enumerate().skip(start) {
        while let Some(taken) = visit.next(queue).await? {
            let nth = seen.one_more(&taken.parked.name);
            if !page.take(taken.parked.to_api(), nth) {
                return Ok(page.ends(true));
            }
            if page.letters.len() >= wanted.limit || Instant::now() > until {
                let has_more = taken.behind > 0 || waiting[at + 1..].iter().any(|waiting| *waiting > 0);
                return Ok(page.ends(has_more));
            }
        }
    }
    Ok(page.ends(false))
}

/// Passes all messages up to that letter, and it.
async fn pass(
    visit: &Visit,
    queue: &'static Queue,
    after: &Cursor,
    seen: &mut Seen,
    until: Instant,
) -> Result<(), DeskError> {
    let mut passed: u64 = 0;
    while let Some(taken) = visit.next(queue).await? {
        passed += 1;
        if seen.one_more(&taken.parked.name) == after.nth && taken.parked.name == after.id {
            return Ok(());
        }
        if Instant::now() > until {
            return Err(DeskError::TooDeep { queue: queue.dead, passed });
        }
    }
    Err(DeskError::CursorGone(after.id.clone()))
}

/// How often each name has come by, by the name's fingerprint: a visit may pass a hundred thousand.
#[derive(Default)]
pub(super) struct Seen(HashMap<u64, u32>);

impl Seen {
    pub(super) fn one_more(&mut self, name: &str) -> u32 {
        let times = self.0.entry(fingerprint(name.as_bytes())).or_default();
        *times += 1;
        *times
    }
}

/// What a letter takes as JSON, with the comma behind it.
fn json_bytes(letter: &DeadLetter) -> usize {
    struct Count(usize);
    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(1);
    // To count is always possible, and a letter is plain data.
    let _ = serde_json::to_writer(&mut count, letter);
    count.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(body: String) -> DeadLetter {
        DeadLetter {
            id: "catalog.sku_processed.dead:m".into(),
            origin: "catalog.sku_processed".into(),
            message_id: "m".into(),
            correlation_id: None,
            message_type: "sku_processed".into(),
            reason: "no json".into(),
            attempts: Vec::new(),
            parked_at: None,
            body_bytes: body.len() as u64,
            body,
            is_text: true,
            is_cut: false,
            headers: Vec::new(),
        }
    }

    #[test]
    fn a_page_ends_before_it_is_too_large_but_never_without_a_letter() {
        let mut page = Page::default();
        assert!(page.take(letter("x".repeat(PAGE_MAX_BYTES + 1)), 1), "the first always fits");
        assert!(!page.take(letter(String::new()), 2));
        let mut page = Page::default();
        // As JSON each of these characters takes six bytes.
        while page.take(letter("\u{1}".repeat(64 * 1024)), 7) {}
        assert_eq!(page.letters.len(), PAGE_MAX_BYTES / (6 * 64 * 1024));
        let whole = serde_json::to_vec(&page.letters).unwrap().len();
        assert!(whole <= PAGE_MAX_BYTES + 1, "{whole}");
        let next = page.ends(true).next.unwrap();
        assert_eq!((next.id.as_str(), next.nth), ("catalog.sku_processed.dead:m", 7));
    }

    #[test]
    fn a_cursor_names_a_letter_of_its_style() {
        let parse = |id: &str, nth| Cursor::parse(flow::Style::Choreography.into(), id.to_owned(), nth);
        assert!(parse("catalog.sku_processed.dead:a:b", 1).is_ok());
        for (id, nth) in [
            ("catalog.sku_processed.dead:a", 0),
            ("catalog.sku_processed.dead", 1),
            ("catalog.sku_processed.deadly:a", 1),
            ("catalog.update_sku_availability.dead:a", 1),
            ("", 1),
        ] {
            assert!(parse(id, nth).is_err(), "{id} {nth}");
        }
    }
}
