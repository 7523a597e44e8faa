//! How many workers a service should have.

use super::{Control, about};
use flow::{
    Kind, Service, System,
    api::{Workers, WorkersWanted},
};
use journal::By;

impl Control {
    /// How a service's workers are.
    #[must_use]
    pub fn workers(&self, system: System, service: Service) -> Workers {
        self.part(system, service).crew.to_api()
    }

    /// Which services are to have one worker only.
    #[must_use]
    pub fn single_workers(&self, system: System) -> Vec<Service> {
        let is_single = |service: &Service| self.workers(system, *service).workers == 1;
        self.members(system).into_iter().filter(is_single).collect()
    }

    /// Sets the workers anew; those that were given up get another chance.
    pub fn set_workers(&self, system: System, service: Service, wanted: WorkersWanted, by: By<'_>) {
        let WorkersWanted { workers, prefetch } = wanted;
        self.0.journal.report(about(system, service, Kind::WorkersSet { workers, prefetch }, by));
        self.part(system, service).crew.set(wanted);
    }
}
