//! The warehouse's drop box: files are put into it by FTP, and what became of each.

use super::desk::clock;
use super::section::{Asking, Section};
use crate::address::Escaped;
use crate::api::fetch;
use flow::api::{FileState, WarehouseFile, WarehouseFiles};
use leptos::{ev, prelude::*, task::spawn_local};

/// How many are shown.
const SHOWN: usize = 20;
/// A large file over a slow line takes its time.
const PATIENCE_MS: u32 = 600_000;
const ACCEPTED: &str = ".csv,.tsv,.jsonl,.ndjson,.json,.txt";

const fn state(file: &WarehouseFile) -> (&'static str, &'static str) {
    match file.state {
        FileState::Seen => ("seen", "pill pill-wait"),
        FileState::Uploading => ("uploading", "pill pill-wait"),
        FileState::Reading => ("reading", "pill pill-warn"),
        // Nothing of it counted: its reason says why.
        FileState::Processed if file.rows_good == 0 => ("processed", "pill pill-wait"),
        FileState::Processed => ("processed", "pill pill-done"),
        FileState::Rejected => ("rejected", "pill pill-failed"),
        FileState::Waiting => ("waiting", "pill pill-warn"),
    }
}

/// How many rows count, how big it is and how it is written.
fn facts(file: &WarehouseFile) -> String {
    let format = file.format.iter().map(|format| format!("{format} · ")).collect::<String>();
    format!("{} good, {} bad · {} · {format}", file.rows_good, file.rows_bad, size(file.size_bytes))
}

/// Where what is wrong with it is told, if anything is.
fn report(file: &WarehouseFile) -> Option<String> {
    let has_errors = file.rows_bad > 0 || file.state == FileState::Rejected;
    has_errors.then(|| format!("/api/files/{}/errors.csv", file.id))
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{} KB", bytes / 1_000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

/// The drop box, and the files that have come.
pub fn contents(section: Section) -> AnyView {
    let told = section.told::<WarehouseFiles>("/api/files".to_owned());
    let see = move |see: fn(&WarehouseFiles) -> Option<String>| {
        Memo::new(move |_| told.with(|told| told.as_ref().and_then(see)))
    };
    let server = see(|files| Some(files.server.clone()));
    let trouble = see(|files| files.trouble.clone());
    let count = Memo::new(move |_| told.with(|told| told.as_ref().map(|told| told.files.len())));
    let shown = move || {
        let newest =
            |told: &WarehouseFiles| told.files.iter().take(SHOWN).map(|file| file.id).collect::<Vec<_>>();
        told.with(|told| told.as_ref().map(newest)).unwrap_or_default()
    };
    view! {
        <DropBox section />
        {move || {
            server.get().map(|server| view! { <p class="hint breaks">"Watching " <code>{server}</code></p> })
        }}
        {move || {
            trouble.get().map(|why| view! { <p class="notice notice-failed" role="status">{why}</p> })
        }}
        {move || match count.get() {
            None => view! { <Asking /> }.into_any(),
            Some(0) => view! { <p class="hint">"No files yet."</p> }.into_any(),
            Some(_) => view! {
                <ul class="files">
                    <For each=shown key=|id| *id let(id)>
                        <FileRow told id />
                    </For>
                </ul>
            }
            .into_any(),
        }}
        {move || {
            let older = count.get().unwrap_or_default().saturating_sub(SHOWN);
            (older > 0).then(|| view! { <p class="hint">{format!("and {older} older ones")}</p> })
        }}
    }
    .into_any()
}

#[component]
fn FileRow(told: RwSignal<Option<WarehouseFiles>>, id: i64) -> impl IntoView {
    let file =
        Memo::new(move |_| told.with(|told| told.as_ref()?.files.iter().find(|file| file.id == id).cloned()));
    let see = move |see: fn(&WarehouseFile) -> String| {
        move || file.with(|file| file.as_ref().map(see)).unwrap_or_default()
    };
    let seen_at = see(|file| file.seen_at.clone());
    let errors = move || {
        let href = file.with(|file| file.as_ref().and_then(report))?;
        Some(view! {
            " · "
            <a href=href download="">
                "Errors"
            </a>
        })
    };
    let reason = move || {
        let (reason, is_rejected) = file.with(|file| {
            file.as_ref().map(|file| (file.reason.clone(), file.state == FileState::Rejected))
        })?;
        let class = if is_rejected { "field-error" } else { "hint" };
        reason.map(|reason| view! { <p class=class>{reason}</p> })
    };
    view! {
        <li data-file=see(|file| file.name.clone()) data-state=see(|file| state(file).0.to_owned())>
            <div class="crew-head">
                <strong class="breaks">{see(|file| file.name.clone())}</strong>
                <span class=see(|file| state(file).1.to_owned())>{see(|file| state(file).0.to_owned())}</span>
            </div>
            <p class="hint">
                {see(facts)}
                <time datetime=seen_at>{see(|file| clock(&file.seen_at).to_owned())}</time>
                {errors}
            </p>
            {reason}
        </li>
    }
}

/// Where files are dropped, or chosen.
#[component]
fn DropBox(section: Section) -> impl IntoView {
    let is_over = RwSignal::new(false);
    let drag = move |event: ev::DragEvent, over: bool| {
        event.prevent_default();
        is_over.set(over);
    };
    let dropped = move |event: ev::DragEvent| {
        let files = event.data_transfer().and_then(|data| data.files());
        drag(event, false);
        send(section, list(files));
    };
    let chosen = move |event: ev::Event| {
        let field = event_target::<web_sys::HtmlInputElement>(&event);
        let files = list(field.files());
        // The same file can be chosen once more.
        field.set_value("");
        send(section, files);
    };
    view! {
        <label
            class="drop"
            data-over=move || is_over.get().then_some("")
            on:dragover=move |event| drag(event, true)
            on:dragleave=move |event| drag(event, false)
            on:drop=dropped
        >
            <input
                class="sr-only"
                type="file"
                multiple=true
                accept=ACCEPTED
                aria-label="Choose a file"
                on:change=chosen
            />
            <strong>"Drop a file here"</strong>
            <span class="hint">
                "or choose one: CSV (" <code>"sku,quantity"</code>
                ") as spreadsheets save it, or JSON. It is sent by FTP, and inventory finds it."
            </span>
        </label>
    }
}

fn list(files: Option<web_sys::FileList>) -> Vec<web_sys::File> {
    files.map(|files| (0..files.length()).filter_map(|at| files.get(at)).collect()).unwrap_or_default()
}

/// Sends files, one after the other, and says how far that is.
fn send(section: Section, files: Vec<web_sys::File>) {
    let asks = section.asks;
    if asks.is_barred() {
        return;
    }
    spawn_local(async move {
        for file in files {
            let name = file.name();
            asks.say(format!("Sending {name} by FTP…"), true);
            match fetch::upload(&format!("/api/files/{}", Escaped(&name)), file, PATIENCE_MS).await {
                Ok(()) => asks.say(format!("{name} is in the drop box."), true),
                Err(problem) => asks.say(problem.detail, false),
            }
            asks.answers.try_update(|answers| *answers = answers.wrapping_add(1));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_bad_rows_leads_to_its_report() {
        let mut file = WarehouseFile {
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
        assert_eq!(facts(&file), "9 good, 1 bad · 120 bytes · tab, UTF-16LE, CRLF · ");
        assert_eq!(report(&file).as_deref(), Some("/api/files/3/errors.csv"));
        file.rows_bad = 0;
        assert_eq!(report(&file), None);
        file.state = FileState::Rejected;
        assert!(report(&file).is_some());
    }

    #[test]
    fn a_size_is_told_as_people_read_it() {
        assert_eq!(
            (size(999), size(1_000), size(2_500_000)),
            ("999 bytes".into(), "1 KB".into(), "2 MB".into())
        );
    }
}
