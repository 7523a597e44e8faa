//! What a service does with a message, as it stands in the source from which this program was built.

pub(super) mod steps;

use axum::{Json, Router, routing::get};
use flow::{
    Service, Style, System,
    api::{CodeStep, Source},
};
use http_edge::extract::{PathService, SystemPath};

/// A file of the source: where it stands, and its text.
type File = (&'static str, &'static str);

const CHOREOGRAPHY: File =
    ("server/src/styles/choreography.rs", include_str!("../../styles/choreography.rs"));
const ORCHESTRATION: File =
    ("server/src/styles/orchestration.rs", include_str!("../../styles/orchestration.rs"));
const INVENTORY: File = ("server/inventory/src/lib.rs", include_str!("../../../inventory/src/lib.rs"));
const CATALOG: File = ("server/catalog/src/lib.rs", include_str!("../../../catalog/src/lib.rs"));
const WISHLIST: File = ("server/wishlist/src/lib.rs", include_str!("../../../wishlist/src/lib.rs"));
const LOYALTY: File = ("server/loyalty/src/lib.rs", include_str!("../../../loyalty/src/lib.rs"));

pub fn routes() -> Router {
    Router::new().route("/api/{style}/{service}/code", get(code)).route("/api/{style}/code", get(running))
}

/// Which code does which step.
async fn running(SystemPath(system): SystemPath) -> Json<Vec<CodeStep>> {
    Json(steps::steps(system))
}

async fn code(SystemPath(system): SystemPath, PathService(service): PathService) -> Json<Vec<Source>> {
    Json(sources(system, service))
}

/// What decides by the style, and what the service then does.
fn sources(system: System, service: Service) -> Vec<Source> {
    [(file_of(system.style), "handle"), own_of(service)]
        .into_iter()
        .filter_map(|(file, name)| function(file, name))
        .collect()
}

/// The file of a style.
const fn file_of(style: Style) -> File {
    match style {
        Style::Choreography => CHOREOGRAPHY,
        Style::Orchestration => ORCHESTRATION,
    }
}

/// The function by which a service does its own part, with its file.
const fn own_of(service: Service) -> (File, &'static str) {
    match service {
        Service::Inventory => (INVENTORY, "recalculate"),
        Service::Catalog => (CATALOG, "mark"),
        Service::Wishlist => (WISHLIST, "update"),
        Service::Loyalty => (LOYALTY, "count"),
    }
}

/// A function of a file. Its end is the first brace that is indented as it is itself: rustfmt sees to that.
fn function((file, text): File, name: &str) -> Option<Source> {
    let heads = [format!("fn {name}("), format!("fn {name}<")];
    let (at, first) =
        text.lines().enumerate().find(|(_, line)| heads.iter().any(|head| line.contains(head)))?;
    let indent = &first[..first.len() - first.trim_start().len()];
    let end = format!("{indent}}}");
    let last = at + text.lines().skip(at).position(|line| line == end)?;
    let own = text.lines().skip(at).take(last + 1 - at);
    let code = own.map(|line| line.strip_prefix(indent).unwrap_or(line)).collect::<Vec<_>>().join("\n");
    Some(Source { file: file.to_owned(), line: at + 1, code })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_shows_two_whole_functions_that_stand_where_they_say() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for (system, &service) in
            System::ALL.into_iter().flat_map(|system| Service::ALL.iter().map(move |one| (system, one)))
        {
            let sources = sources(system, service);
            assert_eq!(sources.len(), 2, "{system} {service}");
            for Source { file, line, code } in sources {
                let text = std::fs::read_to_string(root.join(&file)).unwrap();
                let first = code.lines().next().unwrap();
                assert!(first.starts_with("pub async fn "), "{code}");
                assert_eq!(text.lines().nth(line - 1).unwrap().trim_start(), first);
                let (open, closed) = (code.matches('{').count(), code.matches('}').count());
                assert!(code.ends_with("\n}") && open == closed, "{code}");
                assert_eq!(code.matches("async fn").count(), 1, "{code}");
            }
        }
    }
}
