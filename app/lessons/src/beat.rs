//! A beat: a sentence or two, what is done, what is waited for, and what is asked.

use super::{Deed, Seen, Until};
use flow::layout::{Orientation, Plan, layout};
use flow::{Service, System};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// One step of a lesson.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Beat {
    pub title: String,
    /// One or two sentences.
    pub text: String,
    /// What of the picture it is about; the rest is dimmed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spotlight: Vec<Spot>,
    /// What is asked of the system as the beat begins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub setup: Vec<Deed>,
    /// What the learner does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Act>,
    /// What has to happen before it goes on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wait: Vec<Wait>,
    /// Whether what is waited for has to happen in that order.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_order: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask: Option<Ask>,
    /// What is said once it has happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reveal: Option<String>,
    /// What a presenter may want to say or do here; nobody else is shown it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// The number of the beat that this one goes on from, where it needs what is on its way since then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<usize>,
}

impl Beat {
    /// Everything that is asked of the system in it, in order.
    pub fn deeds(&self) -> impl Iterator<Item = &Deed> {
        self.setup.iter().chain(self.act.iter().flat_map(|act| &act.deeds))
    }

    /// What is asked before anything is done.
    #[must_use]
    pub fn prediction(&self) -> Option<&Ask> {
        self.ask.as_ref().filter(|ask| ask.role.comes_first())
    }

    /// What is asked once all has happened.
    #[must_use]
    pub fn question(&self) -> Option<&Ask> {
        self.ask.as_ref().filter(|ask| !ask.role.comes_first())
    }
}

/// Something that the learner does by a button. The lab's own controls do it too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Act {
    pub button: String,
    pub deeds: Vec<Deed>,
    /// Whether it is to be done more than once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
}

/// Something that has to happen, in the words by which it is ticked off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wait {
    pub says: String,
    pub until: Until,
}

/// Something in the picture, by the name that its mark has in the page.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spot {
    Node(String),
    Queue(String),
    Edge(String),
    /// The letters that are parked beside a queue.
    Tray(String),
}

impl Spot {
    /// What finds it in the page.
    #[must_use]
    pub fn selector(&self) -> String {
        let (mark, name) = match self {
            Self::Node(name) => ("node", name),
            Self::Queue(name) => ("queue", name),
            Self::Edge(name) => ("edge", name),
            Self::Tray(name) => ("tray", name),
        };
        format!("[data-{mark}=\"{name}\"]")
    }
}

/// Every name that something in a system's picture can have, with the fourth service.
#[derive(Debug)]
pub struct Stage(BTreeSet<Spot>);

impl Stage {
    #[must_use]
    pub fn of(system: System) -> Self {
        let plan = Plan { loyalty: Some(true), ..Plan::new(system, Orientation::Wide) };
        let drawn = layout(&plan);
        let queues = || system.queues().chain([system.queue_of(Service::Loyalty)]).map(|queue| queue.name);
        let spots = drawn
            .nodes
            .iter()
            .map(|node| Spot::Node(node.id.clone()))
            .chain(drawn.edges.iter().map(|edge| Spot::Edge(edge.id.clone())))
            .chain(queues().map(|name| Spot::Queue(name.to_owned())))
            .chain(queues().map(|name| Spot::Tray(name.to_owned())));
        Self(spots.collect())
    }

    #[must_use]
    pub fn has(&self, spot: &Spot) -> bool {
        self.0.contains(spot)
    }

    #[must_use]
    pub fn has_queue(&self, name: &str) -> bool {
        self.has(&Spot::Queue(name.to_owned()))
    }
}

/// Something that the learner is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    pub role: Role,
    pub question: String,
    pub answer: Answer,
    /// The number of the beat with which that began of which it is asked; without it, this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<usize>,
}

/// When something is asked, and to what end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// What will happen, before it does.
    Predict,
    /// What has happened.
    Saw,
    /// Why, in the learner's own words.
    Explain,
    /// What an earlier beat was about.
    Recall,
}

impl Role {
    /// Whether it is asked before anything is done.
    #[must_use]
    pub const fn comes_first(self) -> bool {
        matches!(self, Self::Predict)
    }

    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Predict => "Predict first",
            Self::Saw => "What did you see?",
            Self::Explain => "In your own words",
            Self::Recall => "A question on what you saw before",
        }
    }
}

/// How it is answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// One of several.
    Choice(Vec<Choice>),
    /// Steps that are to be put into the order in which they stand here.
    Order(Vec<Step>),
    Number(Counted),
    Words,
}

/// One answer of several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    pub says: String,
    /// Whether it is right as far as the lesson knows beforehand.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub right: bool,
    /// What makes it right, whatever the lesson says beforehand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Until>,
    /// Why it is not right, kindly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

/// A step that has its place among others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    pub says: String,
    pub at: Seen,
}

/// A number that is to be told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counted {
    /// What it is as far as the lesson knows beforehand.
    pub expect: u32,
    pub max: u32,
    /// What is counted in the journal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Seen>,
    /// Of what, such as "messages".
    pub unit: String,
}
