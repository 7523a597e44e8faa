//! The same fault on both sides, set before something is sent and taken back after it.
//!
//! `PUT` replaces the whole list of a system, in which others may have set faults of their own. So the list is read
//! first; ours takes the place of the same kind and service, if that was set, and gives it back in the end.

use super::pair::Pair;
use crate::api::fetch;
use crate::lab::broken;
use crate::lab::room::faults::clear as clear_one;
use crate::lab::words::service_name;
use crate::study::BROKEN_IN_BOTH;
use flow::fault::{Fault, FaultKind, Faults};
use flow::{Service, System};
use leptos::prelude::window;
use serde::{Deserialize, Serialize};

/// What is broken on both sides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Broken {
    pub fault: Fault,
    /// In which systems, and what it took the place of in each.
    instead_of: Vec<(System, Option<Fault>)>,
}

impl Broken {
    /// The service that takes no messages because of it.
    pub fn down(&self) -> Option<Service> {
        (self.fault.kind == FaultKind::ConsumerStopped).then_some(self.fault.service)
    }
}

/// A fault in words.
pub fn says(fault: &Fault) -> String {
    let delay = fault.delay_ms.map(|ms| format!(", by {ms} ms")).unwrap_or_default();
    let service = service_name(fault.service);
    format!("{} of {service}, {}{delay}", broken::name(fault.kind), broken::trigger(fault))
}

fn is_same_place(one: &Fault, other: &Fault) -> bool {
    (one.kind, one.service) == (other.kind, other.service)
}

fn is_same(one: &Fault, other: &Fault) -> bool {
    Fault { struck: 0, ..one.clone() } == Fault { struck: 0, ..other.clone() }
}

/// The list with our fault in it, and what that took the place of.
fn with(mut list: Vec<Fault>, ours: &Fault) -> (Vec<Fault>, Option<Fault>) {
    let before = list.iter().position(|fault| is_same_place(fault, ours)).map(|at| list.remove(at));
    list.push(ours.clone());
    (list, before)
}

/// The list without our fault, and with what that had taken the place of; none when there is nothing to change.
fn without(mut list: Vec<Fault>, ours: &Fault, before: Option<&Fault>) -> Option<Vec<Fault>> {
    match list.iter().position(|fault| is_same_place(fault, ours)) {
        // Somebody has set another one there meanwhile: that one stays.
        Some(at) if !is_same(&list[at], ours) => return None,
        Some(at) => {
            list.remove(at);
        }
        // It has struck and was for once, or somebody has cleared it.
        None if before.is_none() => return None,
        None => {}
    }
    list.extend(before.cloned());
    Some(list)
}

/// Breaks the same on both sides.
///
/// # Errors
/// What the server says; then nothing is broken.
pub async fn set(pair: Pair, fault: &Fault) -> Result<Broken, String> {
    let instead_of = pair.distinct().map(|system| (system, None)).collect();
    let mut broken = Broken { fault: fault.clone(), instead_of };
    remember(Some(&broken));
    for (at, system) in pair.distinct().enumerate() {
        let done = async {
            let (list, before) = with(read(system).await?, fault);
            if before.as_ref().is_some_and(|before| is_same(before, fault)) {
                // The same one goes on counting; only a new one begins with its seed.
                write(system, &list[..list.len() - 1]).await?;
            }
            broken.instead_of[at].1 = before;
            remember(Some(&broken));
            write(system, &list).await
        };
        if let Err(why) = done.await {
            // It is set in neither rather than in one.
            let _ = clear(&broken).await;
            return Err(why);
        }
    }
    Ok(broken)
}

/// Takes back what was set, and nothing else.
///
/// # Errors
/// What the server says.
pub async fn clear(broken: &Broken) -> Result<(), String> {
    for (system, before) in &broken.instead_of {
        if let Some(list) = without(read(*system).await?, &broken.fault, before.as_ref()) {
            write(*system, &list).await?;
        }
    }
    remember(None);
    Ok(())
}

/// Takes back what was set, as the page goes: the browser sends it although nobody waits for the answer. A fault that ours
/// took the place of cannot be given back that fast; the next page of this tab does it, if there is one.
pub fn clear_while_leaving(broken: &Broken) {
    let Fault { kind, service, .. } = &broken.fault;
    for (system, before) in &broken.instead_of {
        if before.is_none() {
            let ask = clear_one(*system, *kind, *service);
            fetch::while_leaving(ask.method, &ask.path);
        }
    }
}

async fn read(system: System) -> Result<Vec<Fault>, String> {
    let list = fetch::get::<Faults>(&system.api("faults")).await;
    list.map(|list| list.faults).map_err(|problem| problem.detail)
}

async fn write(system: System, faults: &[Fault]) -> Result<(), String> {
    let body =
        serde_json::to_string(&Faults { faults: faults.to_vec() }).map_err(|error| error.to_string())?;
    let answer = fetch::send("PUT", &system.api("faults"), Some(body)).await;
    answer.map(|_| ()).map_err(|problem| problem.detail)
}

/// What this tab has broken and not yet mended.
pub fn left_behind() -> Option<Broken> {
    let storage = window().session_storage().ok()??;
    serde_json::from_str(&storage.get_item(BROKEN_IN_BOTH).ok()??).ok()
}

fn remember(broken: Option<&Broken>) {
    // A browser that remembers nothing still mends what this page has broken.
    let Ok(Some(storage)) = window().session_storage() else { return };
    let _ = match broken.map(serde_json::to_string) {
        Some(Ok(text)) => storage.set_item(BROKEN_IN_BOTH, &text),
        _ => storage.remove_item(BROKEN_IN_BOTH),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::fault::Trigger;

    fn fault(kind: FaultKind, seed: u64) -> Fault {
        let trigger = Trigger::Probability(0.5);
        Fault { kind, service: Service::Catalog, trigger, seed, delay_ms: None, struck: 0 }
    }

    #[test]
    fn a_fault_is_told_with_its_service_when_it_strikes_and_by_how_much_it_delays() {
        assert_eq!(
            says(&fault(FaultKind::HandlerError, 7)),
            "Handler error of Catalog, with probability 0.5, seed 7"
        );
        let slow = Fault { delay_ms: Some(40), trigger: Trigger::Next, ..fault(FaultKind::HttpSlow, 0) };
        assert_eq!(says(&slow), "HTTP slow of Catalog, next time, by 40 ms");
    }

    #[test]
    fn others_faults_stay_while_ours_is_set_and_after_it() {
        let others = fault(FaultKind::HandlerDelay, 1);
        let ours = fault(FaultKind::HandlerError, 7);
        let (list, before) = with(vec![others.clone()], &ours);
        assert_eq!((&list, &before), (&vec![others.clone(), ours.clone()], &None));
        let struck = vec![Fault { struck: 2, ..others.clone() }, Fault { struck: 3, ..ours.clone() }];
        assert_eq!(without(struck, &ours, None), Some(vec![Fault { struck: 2, ..others.clone() }]));
        assert_eq!(without(vec![others], &ours, None), None, "ours is gone already");
    }

    #[test]
    fn what_ours_took_the_place_of_comes_back() {
        let (theirs, ours) = (fault(FaultKind::HandlerError, 1), fault(FaultKind::HandlerError, 7));
        let (list, before) = with(vec![theirs.clone()], &ours);
        assert_eq!((&list, &before), (&vec![ours.clone()], &Some(theirs.clone())));
        assert_eq!(without(list, &ours, before.as_ref()), Some(vec![theirs.clone()]));
        assert_eq!(without(Vec::new(), &ours, before.as_ref()), Some(vec![theirs]), "ours was for once");
    }

    #[test]
    fn what_somebody_has_set_there_meanwhile_stays() {
        let ours = fault(FaultKind::HandlerError, 7);
        let theirs = fault(FaultKind::HandlerError, 8);
        assert_eq!(without(vec![theirs.clone()], &ours, Some(&fault(FaultKind::HandlerError, 1))), None);
    }
}
