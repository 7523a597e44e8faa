//! The scenes that follow a script: sold out and back, and the supplier's mistake.

use super::{
    Runner,
    control::Status,
    plan::{MistakenFile, Plan, Planned, Shoppers, mistaken_file, scene},
};
use axum::body::Bytes;
use chrono::Utc;
use flow::{
    Dispatch, Quantity, System,
    api::{Preset, SimulatorState},
};
use futures::stream;
use inventory::intake::{Movement, Reason};
use std::{convert::Infallible, time::Duration};
use tokio::{sync::watch, time::Instant};

/// How many people wish for what is sold out.
const WISHES: usize = 12;
/// The time between two wishes: slow enough to see them come.
const WISH_EVERY: Duration = Duration::from_millis(250);

impl Runner {
    /// Plays the scene that is wanted, from its beginning to its end, unless something else is wanted meanwhile.
    pub(super) async fn play(&self, status: &Status, changes: &mut watch::Receiver<u64>) {
        match status.told.preset {
            Preset::SupplierMistake => self.drop_mistaken_file(status).await,
            _ => self.sell_out_and_bring_back(status, changes).await,
        }
    }

    async fn drop_mistaken_file(&self, status: &Status) {
        let told = &status.told;
        let rows = if told.count == 0 { scene(told.preset).count } else { told.count.min(100_000) };
        let MistakenFile { text, rows_good } = mistaken_file(told.seed, scene(told.preset), rows);
        // A delivery of its own each time, though its rows are those of the seed.
        let name = format!("supplier-{}.csv", Utc::now().format("%Y%m%d-%H%M%S%3f"));
        let body = stream::iter([Ok::<_, Infallible>(Bytes::from(text))]);
        let note = match self.drop_box.upload(&name, body).await {
            Ok(_) => {
                self.simulation.note(status.run, |told| told.arrivals = rows_good);
                format!("the supplier dropped {name} with {rows} rows, {} of them wrong", rows - rows_good)
            }
            Err(error) => error.to_string(),
        };
        self.ended(status.run, note);
    }

    async fn sell_out_and_bring_back(&self, status: &Status, changes: &mut watch::Receiver<u64>) {
        let told = &status.told;
        let scene = scene(told.preset);
        let (done, wishes) = (told.arrivals, told.wishes);
        let Some(planned) = Plan::new(told.seed, scene).nth(usize::try_from(done).unwrap_or(usize::MAX))
        else {
            return;
        };
        let systems = told.style.over(told.transport);
        if let Err(problem) = self.sell_out(&planned, &systems).await {
            return self.ended(status.run, problem);
        }
        let wanted = (done + 1).saturating_mul((WISHES * systems.len()) as u64);
        let mut people = Shoppers::new(told.seed.wrapping_add(done), scene);
        let come_already = usize::try_from(wishes).unwrap_or(0) % (WISHES * systems.len()) / systems.len();
        let people: Vec<_> = (0..WISHES).map(|_| people.somebody()).skip(come_already).collect();
        if wishes < wanted {
            for email in people {
                for system in &systems {
                    self.wish(status.run, *system, &email, planned.sku).await;
                }
                if !self.goes_on(status, changes, WISH_EVERY).await {
                    return;
                }
            }
        }
        if !self.goes_on(status, changes, WISH_EVERY * 4).await {
            return;
        }
        let problem = self.arrive(std::slice::from_ref(&planned), &systems).await;
        self.simulation.note(status.run, |told| told.arrivals += 1);
        if let Some(problem) = problem {
            self.ended(status.run, problem);
        } else if told.count > 0 && done + 1 >= told.count {
            let note = format!("{} was sold out, and {} came back", planned.sku, planned.quantity);
            self.ended(status.run, note);
        }
    }

    /// Sells everything of a SKU that is for sale.
    async fn sell_out(&self, planned: &Planned, systems: &[System]) -> Result<(), String> {
        let sku = planned.sku;
        for &system in systems {
            loop {
                let known =
                    self.inventory.availability(system, sku).await.map_err(|error| error.to_string())?;
                let for_sale = known.map_or(0, |known| known.quantity).min(Quantity::MAX);
                let Ok(quantity) = Quantity::parse(for_sale.into()) else { break };
                let movement = Movement { sku, quantity, system, dispatch: Dispatch::default() };
                // Somebody else may have bought some of it just now; then there is less to sell.
                let _ = self.inventory.record(vec![movement], Reason::Sale, None).await;
            }
        }
        Ok(())
    }

    /// Waits a moment; whether the scene goes on.
    async fn goes_on(&self, status: &Status, changes: &mut watch::Receiver<u64>, wait: Duration) -> bool {
        self.until_changed(changes, Some(Instant::now() + wait)).await;
        let now = self.simulation.now();
        !self.stop.is_cancelled() && now.run == status.run && now.told.state == SimulatorState::Running
    }
}
