//! The diagram as text for Mermaid (`sequenceDiagram`).

use super::{Arrow, Mark, Sequence};

impl Sequence {
    /// The diagram as a Mermaid `sequenceDiagram`. Whatever a stranger put into a name or a reason stays text.
    #[must_use]
    pub fn mermaid(&self) -> String {
        let mut out = String::from("sequenceDiagram\n");
        for (column, lifeline) in self.lifelines.iter().enumerate() {
            line(&mut out, &["participant p", &column.to_string(), " as ", &escaped(lifeline.place.name())]);
        }
        for (number, row) in self.rows.iter().enumerate() {
            let text = escaped(&row.text);
            match row.mark {
                Mark::Arrow { arrow, from, to } => {
                    let sign = match arrow {
                        Arrow::Call => "->>p",
                        Arrow::Message => "-)p",
                        Arrow::Return => "-->>p",
                    };
                    line(&mut out, &["p", &from.to_string(), sign, &to.to_string(), ": ", &text]);
                }
                Mark::Note { over } => line(&mut out, &["Note over p", &over.to_string(), ": ", &text]),
            }
            for activation in &self.activations {
                // One that begins and ends with the same row would have no height.
                let (from, to) = (activation.from_row, activation.to_row);
                let column = activation.column.to_string();
                if from == number && to != Some(number) {
                    line(&mut out, &["activate p", &column]);
                } else if to == Some(number) && from != number {
                    line(&mut out, &["deactivate p", &column]);
                }
            }
        }
        for activation in self.activations.iter().filter(|activation| activation.to_row.is_none()) {
            line(&mut out, &["deactivate p", &activation.column.to_string()]);
        }
        out
    }
}

fn line(out: &mut String, parts: &[&str]) {
    out.push_str("    ");
    parts.iter().for_each(|part| out.push_str(part));
    out.push('\n');
}

/// Mermaid's entity codes for what would end a statement, begin a comment or a directive, or become mark-up. A
/// label must not be empty.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '#' | ';' | ':' | '%' | '<' | '>' | '&' | '"' | '\\' | '`' | '{' | '}' => {
                out.push('#');
                out.push_str(&u32::from(character).to_string());
                out.push(';');
            }
            _ if character.is_control() || character == '\u{2028}' || character == '\u{2029}' => {
                out.push(' ')
            }
            _ => out.push(character),
        }
    }
    if out.trim().is_empty() {
        out.clear();
        out.push('·');
    }
    out
}
