//! The page: rendered by Leptos on the server, with its files beside it.

use super::{Parts, journal::unreadable};
use crate::{lessons, measure::Measure, styles::Services};
use ::lessons::{Brief, Lesson};
use app::backend::{Answer, Backend, LooksOn, SayNotFound, SharedBackend};
use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, StatusCode, header, request},
    middleware::{self, Next},
    routing::get_service,
};
use catalog::search::Search;
use classes::Access;
use control::Control;
use flow::{
    Event, Picture, System,
    api::{Email, Problem, Product, Shelves, ShelvesWanted, StockLevel, Transports, Wish},
    fault::Holding,
};
use http_edge::problem;
use journal::{Journal, array};
use leptos::{
    config::LeptosOptions,
    nonce::use_nonce,
    prelude::{expect_context, provide_context},
};
use leptos_axum::{LeptosRoutes, ResponseOptions, generate_route_list};
use std::{path::Path, sync::Arc};
use tower::ServiceBuilder;
use tower_http::{services::ServeDir, set_header::SetResponseHeaderLayer};

/// Where `make build` puts what the browser loads, seen from the project's root.
pub const SITE_ROOT: &str = "target/site";
const OUTPUT_NAME: &str = "skuflow";

/// The pages, the files, and the page for what is not there.
pub fn routes(parts: &Parts, access: Access) -> Router {
    let options =
        LeptosOptions::builder().output_name(OUTPUT_NAME).site_root(SITE_ROOT).site_pkg_dir("pkg").build();
    let backend: SharedBackend = Arc::new(Lent {
        journal: parts.journal.clone(),
        control: parts.control.clone(),
        services: parts.services.clone(),
        broker_label: parts.broker_label.clone(),
        measure: parts.measure.clone(),
    });
    let context = move || {
        provide_context(Arc::clone(&backend));
        let response = expect_context::<ResponseOptions>();
        provide_context(SayNotFound(Arc::new(move || response.set_status(StatusCode::NOT_FOUND))));
        if access.looks_on(&expect_context::<request::Parts>().headers) {
            provide_context(LooksOn);
        }
        restrict();
    };
    let shell = {
        let options = options.clone();
        move || app::shell(options.clone())
    };
    // The first paint shows all that was reported before it was asked for.
    let journal = parts.journal.clone();
    let look = middleware::from_fn(move |request: Request, next: Next| {
        let journal = journal.clone();
        async move {
            journal.caught_up().await;
            next.run(request).await
        }
    });
    let missing = leptos_axum::render_app_to_stream_with_context(context.clone(), shell.clone());
    let files = ServeDir::new(SITE_ROOT)
        .precompressed_br()
        .precompressed_gzip()
        .append_index_html_on_directories(false)
        .fallback(axum::routing::any(missing));
    // The names bear no hash: a browser may keep a file, but asks each time whether it is still the same.
    let revalidate =
        SetResponseHeaderLayer::if_not_present(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Router::new()
        .leptos_routes_with_context(&options, generate_route_list(app::App), context, shell)
        .route_layer(look)
        .fallback_service(get_service(ServiceBuilder::new().layer(revalidate).service(files)))
        .with_state(options)
}

/// Whether the files that the browser needs are there.
#[must_use]
pub fn is_built() -> bool {
    Path::new(SITE_ROOT).join("pkg").join(format!("{OUTPUT_NAME}.wasm")).exists()
}

/// Allows the page its own scripts (by nonce), its WASM, its styles and its stream, and nothing else.
fn restrict() {
    let Some(nonce) = use_nonce() else { return };
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self' data:; font-src 'self'; connect-src 'self'; frame-src 'self'; manifest-src 'self'; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'none'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        let response = expect_context::<ResponseOptions>();
        response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
        // What the page shows is true now and not a second later.
        response.insert_header(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

/// What the server lends to the page.
struct Lent {
    journal: Journal,
    control: Control,
    services: Services,
    broker_label: String,
    measure: Measure,
}

fn answer<T: 'static, E: Into<problem::Problem>>(
    asked: impl Future<Output = Result<T, E>> + Send + 'static,
) -> Answer<T> {
    Box::pin(async move { asked.await.map_err(|error| -> Problem { error.into().to_api() }) })
}

impl Backend for Lent {
    fn picture(&self) -> Picture {
        self.journal.picture_now()
    }

    fn newest_events(&self, system: System, limit: usize) -> Answer<Vec<Event>> {
        let journal = self.journal.clone();
        answer::<_, problem::Problem>(async move {
            // All systems and the broker are in one list: enough of it, that some of each is among it.
            let page = journal.page_before(u64::MAX, 20 * limit as u64).await.map_err(unreadable)?;
            let events: Vec<Event> =
                serde_json::from_slice(&array(&page.blocks)).expect("the journal reads what it wrote");
            Ok(events.into_iter().rev().filter(|event| event.system == Some(system)).take(limit).collect())
        })
    }

    fn holding(&self, system: System) -> Holding {
        self.control.holding(system)
    }

    fn broker_label(&self) -> String {
        self.broker_label.clone()
    }

    fn products(&self, system: System, search: String, limit: u32) -> Answer<Vec<Product>> {
        let catalog = self.services.catalog.clone();
        answer::<_, problem::Problem>(async move {
            Ok(catalog.products(system, Search::parse(&search)?, limit).await?)
        })
    }

    fn shelves(&self, wanted: ShelvesWanted) -> Answer<Shelves> {
        let catalog = self.services.catalog.clone();
        answer::<_, problem::Problem>(async move {
            Ok(catalog.shelves(Search::parse(&wanted.search)?, wanted.show, wanted.page).await?)
        })
    }

    fn stock(&self, system: System) -> Answer<Vec<StockLevel>> {
        let inventory = self.services.inventory.clone();
        answer(async move { inventory.stock(system).await })
    }

    fn wishes(&self, system: System) -> Answer<Vec<Wish>> {
        let wishlist = self.services.wishlist.clone();
        answer(async move { wishlist.wishes(system).await })
    }

    fn emails(&self, system: System) -> Answer<Vec<Email>> {
        let wishlist = self.services.wishlist.clone();
        answer(async move { wishlist.emails(system).await })
    }

    fn lessons(&self) -> Vec<Brief> {
        lessons::list()
    }

    fn lesson(&self, id: &str) -> Option<Lesson> {
        lessons::find(id).cloned()
    }

    fn transports(&self) -> Answer<Transports> {
        let measure = self.measure.clone();
        Box::pin(async move { Ok(measure.told().await) })
    }
}
