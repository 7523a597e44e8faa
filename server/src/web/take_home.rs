//! A run to take home: the lab's page in one file that replays without a server, and the diagram as a picture that moves by
//! itself.
//!
//! The file is the page as it is rendered here, with everything inside that it would fetch: its style, its WASM, and the
//! run. So what is replayed is drawn by the same program.

use super::{journal, page::SITE_ROOT, source::steps::steps};
use crate::lessons;
use ::journal::Journal;
use ::lessons::Lesson;
use app::lab::animated::animated;
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Query, Request, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use base::clock;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use flow::{Run, System};
use http_edge::{extract::SystemPath, problem::Problem};
use leptos::prelude::*;
use serde::Deserialize;
use std::{fmt::Write as _, fs, io, path::Path};
use tokio::task::spawn_blocking;
use tower::ServiceExt as _;

/// The most events in a file: the newest.
const EVENTS_MAX: u64 = 20_000;
/// The largest page that is taken apart, in bytes.
const PAGE_MAX_BYTES: usize = 16 << 20;
/// How the page loads its program.
const IMPORT: &str = "import(`${root}/${pkg_path}/${output_name}.js`)";
/// What the diagram looks like.
const DIAGRAM_STYLE: &str =
    concat!(include_str!("../../../style/tokens.css"), include_str!("../../../style/lab-diagram.css"));

#[derive(Clone)]
struct Shared {
    journal: Journal,
    /// The pages, without the guard: it has let the request for the file through.
    pages: Router,
}

pub fn routes(journal: Journal, pages: Router) -> Router {
    Router::new()
        .route("/api/{style}/export.html", get(html))
        .route("/api/{style}/export.svg", get(svg))
        .with_state(Shared { journal, pages })
}

#[derive(Deserialize)]
struct ExportQuery {
    /// The events after that one; all that is kept without it.
    #[serde(default)]
    after: u64,
    /// The lesson of which it is the run.
    lesson: Option<String>,
}

/// What is taken home.
struct Taken {
    system: System,
    page: String,
    run: String,
    saved_at: String,
    lesson: Option<&'static Lesson>,
}

impl Shared {
    async fn take(
        &self,
        system: System,
        query: Result<Query<ExportQuery>, QueryRejection>,
    ) -> Result<Taken, Problem> {
        let Query(ExportQuery { after, lesson }) =
            query.map_err(|error| Problem::malformed(error.body_text()))?;
        let lesson = lesson
            .map(|id| {
                lessons::find(&id).ok_or_else(|| Problem::not_found(format!("there is no lesson {id:?}")))
            })
            .transpose()?;
        let asked = Request::get(system.page("/lab")).body(Body::empty());
        let asked = asked.map_err(|error| internal(&error))?;
        let Ok(answer) = self.pages.clone().oneshot(asked).await;
        let page = to_bytes(answer.into_body(), PAGE_MAX_BYTES).await.map_err(|error| internal(&error))?;
        let page = String::from_utf8_lossy(&page).into_owned();
        let saved_at = clock::now_text();
        let newest = self.journal.picture_now().seq;
        let run =
            journal::run_text(&self.journal, after.max(newest.saturating_sub(EVENTS_MAX)), &saved_at).await?;
        Ok(Taken { system, page, run, saved_at, lesson })
    }
}

fn internal(error: &dyn std::fmt::Display) -> Problem {
    tracing::error!(%error, "a run cannot be taken home");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, format!("the file cannot be made: {error}"))
}

/// The headers of a file, named after the system and the time.
fn as_file(system: System, saved_at: &str, ending: &str, media_type: &str) -> [(HeaderName, String); 3] {
    let at = saved_at.get(..19).unwrap_or_default().replace(':', "-");
    let name = format!("skuflow-{system}-{at}.{ending}");
    [
        (header::CONTENT_TYPE, media_type.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ]
}

async fn html(
    State(shared): State<Shared>,
    SystemPath(system): SystemPath,
    query: Result<Query<ExportQuery>, QueryRejection>,
) -> Result<impl IntoResponse, Problem> {
    let taken = shared.take(system, query).await?;
    let saved_at = taken.saved_at.clone();
    let made = spawn_blocking(move || whole(&taken)).await.map_err(|error| internal(&error))?;
    let file = made.map_err(|error| internal(&error))?;
    // What runs in it runs in the reader's own file, and not on this server.
    Ok((as_file(system, &saved_at, "html", "text/html; charset=utf-8"), file))
}

async fn svg(
    State(shared): State<Shared>,
    SystemPath(system): SystemPath,
    query: Result<Query<ExportQuery>, QueryRejection>,
    _: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    let Taken { page, run, saved_at, .. } = shared.take(system, query).await?;
    let made = spawn_blocking(move || {
        let history = Run::read(&run).map_err(|error| internal(&error))?.into_history();
        let events: Vec<_> = history.drawable().cloned().collect();
        animated(&page, DIAGRAM_STYLE, history.now(), system, &events)
            .map_err(|error| Problem::new(StatusCode::CONFLICT, error.to_string()))
    });
    let file = made.await.map_err(|error| internal(&error))??;
    Ok((as_file(system, &saved_at, "svg", "image/svg+xml"), file))
}

/// Why a file cannot be made.
#[derive(Debug, thiserror::Error)]
enum NotMade {
    #[error("{SITE_ROOT}/pkg cannot be read: {0}; build the page first")]
    Site(#[from] io::Error),
    #[error("the page is not put together as expected: it lacks {0:?}")]
    Page(&'static str),
}

/// The page with everything inside.
fn whole(taken: &Taken) -> Result<String, NotMade> {
    let pkg = Path::new(SITE_ROOT).join("pkg");
    let script = fs::read_to_string(pkg.join("skuflow.js"))?;
    let style = fs::read_to_string(pkg.join("skuflow.css"))? + &fs::read_to_string(pkg.join("pages.css"))?;
    let (program, exports) =
        script.trim_end().trim_end_matches(';').rsplit_once("export{").ok_or(NotMade::Page("export{"))?;
    let module = format!(
        "{}window.skuflowProgram={{{}}};",
        program.replace("</script", "<\\/script"),
        as_object(exports.trim_end_matches('}'))
    );

    let mut page = without(&taken.page, "<link rel=\"icon\"", ">")?;
    page = without(&page, "<link rel=\"modulepreload\"", ">")?;
    page = without(&page, "<link rel=\"preload\"", ">")?;
    page = without(&page, "<nav aria-label=\"Pages\"", "</nav>")?;
    page = page.replace("<a href=\"/\" aria-label=\"Skuflow, start\"", "<a");
    let words = match taken.lesson {
        Some(lesson) => format!("Run of the lesson “{}”, {}", lesson.title, taken.saved_at),
        None => format!("Saved run of {}", taken.saved_at),
    };
    let said = view! { <p class="carried">{words} ". It replays without a server."</p> }.to_html();
    page = put_before(&page, "<div class=\"header-end\">", &said)?;
    if let Some(lesson) = taken.lesson {
        page = put_before(&page, "</body>", &chapters(lesson))?;
    }
    let styles = format!(
        "<style>{}{}</style><script>{}</script>",
        style.replace("</style", "<\\/style"),
        include_str!("take_home.css"),
        include_str!("take_home.js")
    );
    let link = "<link rel=\"stylesheet\" href=\"/pkg/skuflow.css\">";
    page = put_before(&page, link, &styles)?;
    // What looks whether the pages' style is there finds it; without a `rel` it is nothing that is fetched.
    page = page.replace(link, "<link href=\"/pkg/pages.css\">");
    if !page.contains(IMPORT) {
        return Err(NotMade::Page(IMPORT));
    }
    page = page.replace(IMPORT, "Promise.resolve(window.skuflowProgram)");
    let mut files = format!(
        "<script type=\"application/json\" id=\"saved-run\">{}</script>",
        taken.run.replace('<', "\\u003c")
    );
    for entry in fs::read_dir(&pkg)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.extension().is_some_and(|ending| ending == "wasm") {
            let packed = fs::read(path.with_file_name(format!("{name}.gz")));
            let (bytes, how) = packed
                .map_or_else(|_| Ok((fs::read(&path)?, "")), |bytes| io::Result::Ok((bytes, "gzip")))?;
            let _ = write!(
                files,
                "<script type=\"text/plain\" data-file=\"{name}\" data-packed=\"{how}\">{}</script>",
                BASE64_STANDARD.encode(bytes)
            );
        }
    }
    // What the code's view asks for.
    let code = serde_json::to_vec(&steps(taken.system)).unwrap_or_default();
    let _ = write!(
        files,
        "<script type=\"text/plain\" data-file=\"code\" data-packed=\"\">{}</script>",
        BASE64_STANDARD.encode(code)
    );
    // The page's own script runs behind the program: modules run in the order in which they stand.
    files.push_str("<script type=\"module\">");
    files.push_str(&module);
    files.push_str("</script>");
    put_before(&page, "<script type=\"module\"", &files)
}

/// What a module exports, as the members of an object.
fn as_object(exports: &str) -> String {
    let member = |export: &str| {
        let (own, name) = export.split_once(" as ").unwrap_or((export, export));
        format!("{:?}:{}", name.trim(), own.trim())
    };
    exports.split(',').map(member).collect::<Vec<_>>().join(",")
}

/// The text without the first part that begins and ends so.
fn without(text: &str, from: &'static str, to: &str) -> Result<String, NotMade> {
    let start = text.find(from).ok_or(NotMade::Page(from))?;
    let end = text[start..].find(to).ok_or(NotMade::Page(from))? + start + to.len();
    Ok(format!("{}{}", &text[..start], &text[end..]))
}

fn put_before(text: &str, mark: &'static str, what: &str) -> Result<String, NotMade> {
    let at = text.find(mark).ok_or(NotMade::Page(mark))?;
    Ok(format!("{}{what}{}", &text[..at], &text[at..]))
}

/// The lesson's beats, to be read beside its run.
fn chapters(lesson: &Lesson) -> String {
    let beats = lesson.beats.iter().map(|beat| {
        view! {
            <li>
                <h3>{beat.title.clone()}</h3>
                <p>{beat.text.clone()}</p>
                {beat.ask.as_ref().map(|ask| view! { <p><em>{ask.question.clone()}</em></p> })}
                {beat.reveal.clone().map(|reveal| view! { <p>{reveal}</p> })}
            </li>
        }
    });
    view! {
        <section class="carried-lesson" aria-labelledby="carried-lesson">
            <h2 id="carried-lesson">{lesson.title.clone()}</h2>
            <p>{lesson.promise.clone()}</p>
            <ol>{beats.collect::<Vec<_>>()}</ol>
        </section>
    }
    .to_html()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_modules_exports_become_an_object_with_the_same_names() {
        assert_eq!(as_object("a as default,b as hydrate,Lab"), r#""default":a,"hydrate":b,"Lab":Lab"#);
    }

    #[test]
    fn parts_of_the_page_are_taken_out_and_put_in_and_a_missing_one_is_named() {
        assert_eq!(without("a<x>b", "<x", ">").unwrap(), "ab");
        assert_eq!(put_before("ab", "b", "-").unwrap(), "a-b");
        assert!(without("ab", "<x", ">").unwrap_err().to_string().contains("<x"));
    }
}
