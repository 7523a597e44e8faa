//! The report about a file's bad rows, as it lies on the server.

use super::{
    Monitor, REJECTED,
    client::{Client, ClientError},
    free::Wanted,
    monitor::Trouble,
    take::Taken,
};
use inventory::files::{BadLine, Content};

/// How many lines of a report are read at once.
const REPORT_PAGE: u32 = 1_000;

impl Monitor {
    /// Writes the report about the bad rows of a file that lies at `path`, if it has or had any.
    pub(super) async fn report(
        &self,
        client: &mut Client,
        taken: &mut Taken,
        name: &str,
        path: &str,
    ) -> Result<(), Trouble> {
        let Taken { id, content: Content { hash, .. }, has_grown, is_reported, .. } = taken;
        if *is_reported {
            return Ok(());
        }
        let id = *id;
        let book = self.drop_box.book();
        let mut page = book.errors(id, 0, REPORT_PAGE).await?;
        let noted = if page.is_empty() && !*has_grown { None } else { book.report(id).await? };
        if page.is_empty() && noted.is_none() {
            *is_reported = true;
            return Ok(());
        }
        // Somebody may have removed the folder.
        client.make_folder(REJECTED).await?;
        let target = match noted {
            Some(noted) => noted,
            None => {
                if !client.tells_sizes() {
                    client.size(path).await?;
                }
                let start = format!("{name}.errors");
                let wanted = Wanted { folder: REJECTED, start: &start, ending: ".csv", id, hash };
                let candidates = wanted.candidates(client).await?;
                // A report that is written a second time takes the same name.
                book.name_report(id, candidates).await?.ok_or_else(|| {
                    ClientError::Refused(format!("there is no free name for its report in {REJECTED}"))
                })?
            }
        };
        let mut transfer = client.store(&format!("{REJECTED}/{target}")).await?;
        transfer.write(report_lines(None).as_bytes()).await?;
        while let Some(last) = page.last().map(|bad| bad.line) {
            transfer.write(report_lines(Some(&page)).as_bytes()).await?;
            page = book.errors(id, last, REPORT_PAGE).await?;
        }
        transfer.finish().await?;
        *is_reported = true;
        Ok(())
    }
}

/// Lines of a report, or its header.
pub(super) fn report_lines(bad: Option<&[BadLine]>) -> String {
    let mut csv = csv::Writer::from_writer(Vec::new());
    let written = match bad {
        None => csv.write_record(["line", "reason"]),
        Some(bad) => bad.iter().try_for_each(|bad| csv.write_record([&bad.line.to_string(), &bad.reason])),
    };
    written.expect("writing into memory does not fail");
    let bytes = csv.into_inner().expect("writing into memory does not fail");
    String::from_utf8(bytes).expect("the fields are text")
}
