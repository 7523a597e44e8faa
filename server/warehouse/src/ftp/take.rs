//! Taking in one file: fetch it, know it by its content, count its rows, report the bad ones, move it away.

use super::{
    Monitor, PROCESSED, REJECTED,
    client::{Client, ClientError, Entry},
    fetch::fetch,
    free::Wanted,
    monitor::Trouble,
    moved::Moved,
};
use crate::table::{self, Arrival, Format, NoSuchFile, Row, Rows};
use flow::{Dispatch, Style, api::FileState, event::Origin};
use inventory::{
    files::{Advance, BadLine, CUT, Content, Identity},
    intake::{Intake, IntakeError, Movement, Reason},
};
use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::Instant;

/// How many lines share one transaction: enough to pay little for the disk, few enough to let others in between.
const BATCH: usize = 250;
/// How often the server hears of us while a long file is read; most hang up after some minutes of silence.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// What is said of a file that went on after it was taken in.
const GREW: &str = "it grew after it was taken in; what was added counts too, and nothing counts twice";

/// What is said of a file that is empty, or that has a header and nothing below it.
const NO_ROWS: &str = "it has no rows, so nothing counts";

/// A file of which all rows are taken in, and which is not moved away yet.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) id: i64,
    pub(super) content: Content,
    folder: &'static str,
    reason: Option<String>,
    /// It went on after it was taken in before, so that its report may have to be written anew.
    pub(super) has_grown: bool,
    pub(super) is_reported: bool,
}

impl Taken {
    const fn new(id: i64, content: Content, folder: &'static str, reason: Option<String>) -> Self {
        Self { id, content, folder, reason, has_grown: false, is_reported: false }
    }

    fn state(&self) -> FileState {
        if self.folder == REJECTED { FileState::Rejected } else { FileState::Processed }
    }

    /// Notes that nothing is left to do.
    pub(super) async fn finish(self, monitor: &Monitor) -> Result<u64, Trouble> {
        let size = self.content.size_bytes;
        monitor.drop_box.book().done(self.id, self.state(), self.reason).await?;
        Ok(size)
    }
}

/// The file of which rows are recorded.
#[derive(Debug, Clone, Copy)]
struct Of<'a> {
    id: i64,
    name: &'a str,
    /// From this row on it may be cut.
    cut_from: Option<u64>,
}

fn in_store(error: IntakeError) -> Trouble {
    match error {
        IntakeError::Store(error) => error.into(),
        other => ClientError::Here(other.to_string()).into(),
    }
}

/// A file on this machine; gone when dropped.
struct Spooled(PathBuf);

impl Drop for Spooled {
    fn drop(&mut self) {
        // It is a copy, and the folder is emptied at the next start too.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The reading end of a spooled file. Reading blocks, so it is lent to a thread that may.
struct Reading(Rows<File>);

impl Reading {
    async fn open(path: &Path, format: Format) -> io::Result<Self> {
        let path = path.to_owned();
        blocking(move || Ok(Self(Rows::new(File::open(path)?, &format)?))).await
    }

    /// The next rows behind line `after`, at most `limit`; and whether there are no more.
    async fn next(mut self, after: u64, limit: usize) -> io::Result<(Self, Vec<Row<Arrival>>, bool)> {
        blocking(move || {
            let mut rows = Vec::with_capacity(limit);
            while rows.len() < limit {
                let Some(row) = self.0.next_arrival()? else { return Ok((self, rows, true)) };
                if row.number > after {
                    rows.push(row);
                }
            }
            Ok((self, rows, false))
        })
        .await
    }
}

/// Finds out how a file is to be read, if it is one.
async fn survey(path: &Path) -> io::Result<Result<Format, NoSuchFile>> {
    let path = path.to_owned();
    blocking(move || table::survey(&mut File::open(path)?, &table::ARRIVALS)).await
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

impl Monitor {
    /// Takes in a file that seems to be complete. When it comes back early because it was told to stop, the file is
    /// as good as before; what is counted stays counted. `taken` remembers what is done when the moving fails. Answers
    /// what is to be followed: a file that may grow on where it was moved to.
    pub(super) async fn take(
        &self,
        client: &mut Client,
        id: i64,
        entry: &Entry,
        is_whole: bool,
        taken: &mut Option<Taken>,
    ) -> Result<Option<Moved>, Trouble> {
        if taken.is_none() {
            *taken = self.take_rows(client, id, &entry.name, &entry.name, is_whole).await?;
        }
        let Some(done) = taken else { return Ok(None) };
        let now = client.size(&entry.name).await?;
        if now.is_some_and(|now| now != done.content.size_bytes) {
            *taken = None;
            return Err(ClientError::Refused("it is still growing".into()).into());
        }
        self.report(client, done, &entry.name, &entry.name).await?;
        let at = move_away(client, done, &entry.name).await?;
        self.drop_box.book().done(done.id, done.state(), done.reason.clone()).await?;
        let is_followed = !is_whole && done.folder == PROCESSED;
        Ok(is_followed.then(|| Moved::new(done.id, entry.name.clone(), at, done.content.size_bytes)))
    }

    /// Takes in the rows of a file that lies at `path`; `None` when told to stop before the end.
    pub(super) async fn take_rows(
        &self,
        client: &mut Client,
        id: i64,
        name: &str,
        path: &str,
        is_whole: bool,
    ) -> Result<Option<Taken>, Trouble> {
        let book = self.drop_box.book();
        let known = book.known(id).await?;
        let spooled = Spooled(self.spool.join(id.to_string()));
        let fetched = fetch(client, path, &spooled.0, known.as_ref().map(|known| known.size_bytes)).await?;
        let content = fetched.content;
        let is_longer = known.is_some_and(|known| fetched.begins_with.as_deref() == Some(&*known.hash));
        let format = survey(&spooled.0).await.map_err(ClientError::from)?;
        let written = format.as_ref().ok().map(Format::to_string);
        let (id, lines_done) = match book.identify(id, content.clone(), is_longer, written).await? {
            Identity::Read { id, lines_done } => (id, lines_done),
            Identity::Repeat { of } => {
                let reason =
                    format!("the same file as number {of}, which counts already; nothing counts twice");
                return Ok(Some(Taken::new(id, content, PROCESSED, Some(reason))));
            }
        };
        let format = match format {
            Ok(format) => format,
            Err(no_such_file) => {
                let reason = no_such_file.to_string();
                book.refuse(id, BadLine { line: no_such_file.line, reason: reason.clone() }).await?;
                return Ok(Some(Taken::new(id, content, REJECTED, Some(reason))));
            }
        };
        let of = Of { id, name, cut_from: format.cut_from().filter(|_| !is_whole) };
        let reading = Reading::open(&spooled.0, format).await.map_err(ClientError::from)?;
        let Some(last_line) = self.count(client, of, reading, lines_done).await? else { return Ok(None) };
        let reason = match (is_longer, last_line) {
            (true, _) => Some(GREW),
            (false, 0) => Some(NO_ROWS),
            (false, _) => None,
        };
        let reason = reason.map(str::to_owned);
        Ok(Some(Taken { has_grown: is_longer, ..Taken::new(id, content, PROCESSED, reason) }))
    }

    /// Counts the rows behind line `lines_done`, and answers the line of the last row, 0 when there is none; `None` when
    /// told to stop before the end.
    async fn count(
        &self,
        client: &mut Client,
        of: Of<'_>,
        mut reading: Reading,
        mut lines_done: u64,
    ) -> Result<Option<u64>, Trouble> {
        let book = self.drop_box.book();
        let mut heard_of_us = Instant::now();
        loop {
            let (lines, is_end);
            (reading, lines, is_end) = reading.next(lines_done, BATCH).await.map_err(ClientError::from)?;
            let Some(last) = lines.last().map(|line| line.number) else {
                book.counted(of.id).await?;
                return Ok(Some(lines_done));
            };
            let mut held = None;
            let go_on = self.backpressure.clear(&self.stop, |waiting| held = Some(waiting)).await;
            if !go_on {
                return Ok(None);
            }
            if held.is_some() {
                tracing::debug!(name = of.name, "a file waited for the services to catch up");
            }
            self.record(of, lines_done, lines, is_end).await?;
            lines_done = last;
            if is_end {
                return Ok(Some(lines_done));
            }
            if heard_of_us.elapsed() > KEEP_ALIVE {
                heard_of_us = Instant::now();
                if !client.is_alive().await {
                    // Counting needs no server; what is left to do there needs a new connection.
                    match Client::connect(self.drop_box.url()).await {
                        Ok(anew) => *client = anew,
                        Err(error) => {
                            let reason = Some(format!("its rows count; the FTP server is away: {error}"));
                            book.note(of.id, FileState::Reading, reason).await?;
                        }
                    }
                }
            }
        }
    }

    /// Records a batch: all of its good rows in both styles, its bad ones, and how far the file is, at once.
    async fn record(
        &self,
        of: Of<'_>,
        from_line: u64,
        lines: Vec<Row<Arrival>>,
        is_end: bool,
    ) -> Result<(), Trouble> {
        match self.record_at_once(of, from_line, lines.clone(), is_end).await {
            Ok(()) => Ok(()),
            Err(IntakeError::Store(error)) => Err(error.into()),
            // One row is more than fits. Row by row shows which.
            Err(_) => {
                let (mut from_line, count) = (from_line, lines.len());
                for (n, line) in (1..).zip(lines) {
                    let (number, is_last) = (line.number, is_end && n == count);
                    match self.record_at_once(of, from_line, vec![line], is_last).await {
                        Ok(()) => {}
                        Err(IntakeError::Store(error)) => return Err(error.into()),
                        Err(refused) => {
                            let bad = vec![BadLine { line: number, reason: refused.to_string() }];
                            let id = of.id;
                            let step = Advance { id, from_line, to_line: number, good: 0, bad, is_last };
                            self.record_movements(of.name, Vec::new(), step).await.map_err(in_store)?;
                        }
                    }
                    from_line = number;
                }
                Ok(())
            }
        }
    }

    async fn record_at_once(
        &self,
        of: Of<'_>,
        from_line: u64,
        lines: Vec<Row<Arrival>>,
        is_last: bool,
    ) -> Result<(), IntakeError> {
        let mut step =
            Advance { id: of.id, from_line, to_line: from_line, good: 0, bad: Vec::new(), is_last };
        let mut movements = Vec::with_capacity(lines.len() * Style::ALL.len());
        for Row { number, value } in lines {
            step.to_line = number;
            let is_cut = of.cut_from.is_some_and(|from| number >= from);
            match value {
                _ if is_cut => step.bad.push(BadLine { line: number, reason: CUT.to_owned() }),
                Ok((sku, quantity)) => {
                    step.good += 1;
                    let dispatch = Dispatch::default();
                    movements.extend(Style::ALL.iter().map(|&style| Movement {
                        sku,
                        quantity,
                        system: style.into(),
                        dispatch,
                    }));
                }
                Err(error) => step.bad.push(BadLine { line: number, reason: error.to_string() }),
            }
        }
        self.record_movements(of.name, movements, step).await
    }

    async fn record_movements(
        &self,
        name: &str,
        movements: Vec<Movement>,
        step: Advance,
    ) -> Result<(), IntakeError> {
        let reason = Reason::Arrival(Origin::File(name.to_owned()));
        self.inventory.take_in(Intake { movements, reason, key: None, advance: Some(step) }).await?;
        Ok(())
    }
}

/// Moves a file that is taken in into its folder, under a name that is free there; answers where it is.
async fn move_away(client: &mut Client, done: &Taken, name: &str) -> Result<String, ClientError> {
    let folder = done.folder;
    let (start, ending) = name.split_at(name.rfind('.').unwrap_or(name.len()));
    let wanted = Wanted { folder, start, ending, id: done.id, hash: &done.content.hash };
    let mut refusal = ClientError::Refused(format!("there is no free name for it in {folder}"));
    for target in wanted.candidates(client).await? {
        let target = format!("{folder}/{target}");
        match client.rename(name, &target).await {
            Ok(()) => return Ok(target),
            Err(ClientError::Refused(_)) => {
                // Somebody may have removed the folder.
                client.make_folder(folder).await?;
                match client.rename(name, &target).await {
                    Ok(()) => return Ok(target),
                    Err(error @ ClientError::Refused(_)) => refusal = error,
                    Err(error) => return Err(error),
                }
            }
            Err(error) => return Err(error),
        }
    }
    Err(refusal)
}
