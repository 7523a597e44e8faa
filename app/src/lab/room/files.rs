//! The warehouse's drop box: files are put into it by FTP, and what became of each.

use super::desk::clock;
use flow::api::{FileState, WarehouseFile, WarehouseFiles};
use maud::{Markup, html};

/// How many are shown.
const SHOWN: usize = 20;

const fn state(file: &WarehouseFile) -> (&'static str, &'static str) {
    match file.state {
        FileState::Seen => ("seen", "pill-wait"),
        FileState::Uploading => ("uploading", "pill-wait"),
        FileState::Reading => ("reading", "pill-warn"),
        // Nothing of it counted: its reason says why.
        FileState::Processed if file.rows_good == 0 => ("processed", "pill-wait"),
        FileState::Processed => ("processed", "pill-done"),
        FileState::Rejected => ("rejected", "pill-failed"),
        FileState::Waiting => ("waiting", "pill-warn"),
    }
}

/// The part `files`.
#[must_use]
pub fn part(files: &WarehouseFiles) -> Markup {
    html! {
        label.drop data-drop {
            input.sr-only type="file" multiple accept=".csv,.tsv,.jsonl,.ndjson,.json,.txt" aria-label="Choose a file";
            strong { "Drop a file here" }
            span.hint { "or choose one: CSV (" code { "sku,quantity" } ") as spreadsheets save it, or JSON. It is sent by FTP, and inventory finds it." }
        }
        p.hint.breaks { "Watching " code { (files.server) } }
        @if let Some(trouble) = &files.trouble { p.notice.notice-failed role="status" { (trouble) } }
        @if files.files.is_empty() {
            p.hint { "No file has come so far." }
        } @else {
            ul.files { @for file in files.files.iter().take(SHOWN) { (row(file)) } }
            @if files.files.len() > SHOWN { p.hint { "and " (files.files.len() - SHOWN) " older ones" } }
        }
    }
}

fn row(file: &WarehouseFile) -> Markup {
    let (words, pill) = state(file);
    html! {
        li data-key={ "file-" (file.id) } data-file=(file.name) data-state=(words) {
            div.crew-head { strong.breaks { (file.name) } span class={ "pill " (pill) } { (words) } }
            p.hint {
                (file.rows_good) " good, " (file.rows_bad) " bad · " (size(file.size_bytes)) " · "
                @if let Some(format) = &file.format { (format) " · " }
                time datetime=(file.seen_at) { (clock(&file.seen_at)) }
                @if file.rows_bad > 0 || file.state == FileState::Rejected {
                    " · " a href={ "/api/files/" (file.id) "/errors.csv" } download { "Errors" }
                }
            }
            @if let Some(reason) = &file.reason {
                p class=(if file.state == FileState::Rejected { "field-error" } else { "hint" }) { (reason) }
            }
        }
    }
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{} KB", bytes / 1_000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_bad_rows_leads_to_its_report() {
        let file = WarehouseFile {
            id: 3,
            name: "a<b>.csv".to_owned(),
            state: FileState::Processed,
            rows_good: 9,
            rows_bad: 1,
            size_bytes: 120,
            seen_at: "2026-01-01T10:11:12Z".to_owned(),
            done_at: None,
            reason: None,
            format: Some("tab, UTF-16LE, CRLF".to_owned()),
        };
        let mut files = WarehouseFiles {
            files: vec![file],
            server: "ftp://h/".to_owned(),
            trouble: Some("down".to_owned()),
        };
        let html = part(&files).into_string();
        assert!(html.contains("/api/files/3/errors.csv") && html.contains("9 good, 1 bad"));
        assert!(html.contains("120 bytes · tab, UTF-16LE, CRLF · "), "{html}");
        assert!(html.contains("a&lt;b&gt;.csv") && html.contains("down"));
        files.files[0].rows_bad = 0;
        assert!(!part(&files).into_string().contains("errors.csv"));
    }
}
