//! What the inspector is about, and how that is written into the page's `data-pick` and into addresses.

use flow::Id;
use std::{fmt, str::FromStr};

/// Something that can be inspected.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Selection {
    /// A node, by its id in the diagram.
    Node(String),
    /// A queue, by its name.
    Queue(String),
    /// A line, by its id.
    Edge(String),
    /// A message, on its way through a queue if one is named.
    Message {
        id: Id,
        /// The queue, since an event is copied to several.
        queue: Option<Id>,
    },
    /// A whole arrival or sale.
    Arrival(Id),
    /// One event, by its place in the journal.
    Event(u64),
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(id) => write!(f, "node:{id}"),
            Self::Queue(name) => write!(f, "queue:{name}"),
            Self::Edge(id) => write!(f, "edge:{id}"),
            Self::Message { id, queue: None } => write!(f, "message:{id}"),
            Self::Message { id, queue: Some(queue) } => write!(f, "message:{id}@{queue}"),
            Self::Arrival(id) => write!(f, "arrival:{id}"),
            Self::Event(seq) => write!(f, "event:{seq}"),
        }
    }
}

/// A text that names nothing to inspect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoSelection;

impl FromStr for Selection {
    type Err = NoSelection;

    fn from_str(text: &str) -> Result<Self, NoSelection> {
        let (kind, rest) = text.split_once(':').ok_or(NoSelection)?;
        Ok(match kind {
            "node" => Self::Node(rest.to_owned()),
            "queue" => Self::Queue(rest.to_owned()),
            "edge" => Self::Edge(rest.to_owned()),
            // A stranger's queue may be called anything; an id has no `@`.
            "message" => match rest.split_once('@') {
                Some((id, queue)) => Self::Message { id: id.into(), queue: Some(queue.into()) },
                None => Self::Message { id: rest.into(), queue: None },
            },
            "arrival" => Self::Arrival(rest.into()),
            "event" => Self::Event(rest.parse().map_err(|_| NoSelection)?),
            _ => return Err(NoSelection),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let all = [
            Selection::Node("catalog".into()),
            Selection::Queue("a:b@c".into()),
            Selection::Edge("route:catalog.sku_processed".into()),
            Selection::Message { id: "01937a2e".into(), queue: None },
            Selection::Message { id: "01937a2e".into(), queue: Some("q@1".into()) },
            Selection::Arrival("01937a2f".into()),
            Selection::Event(12),
        ];
        for one in all {
            assert_eq!(one.to_string().parse(), Ok(one));
        }
        for nothing in ["", "event", "event:x", "planet:mars"] {
            assert_eq!(nothing.parse::<Selection>(), Err(NoSelection));
        }
    }
}
