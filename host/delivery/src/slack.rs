//! Slack: the JSON of an incoming webhook, with everything as Slack wants it.

use std::time::Duration;

use serde_json::Value;
use serde_json::json;

use crate::attempt::Attempt;
use crate::clip::clipped;
use crate::http;
use crate::http::Address;
use crate::notice::Notice;
use crate::notice::Severity;

/// Slack's own limits, in characters and items.
const TITLE: usize = 150;
const TEXT: usize = 3000;
const FIELD: usize = 2000;
const FIELDS: usize = 10;
const CONTEXT: usize = 2000;

/// Slack reads three characters as its own signs, and only those are to be escaped.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// An escaped text within a limit, cut between signs, never in one.
fn fitting(text: &str, most: usize) -> String {
    let whole = escaped(text);
    if whole.chars().count() <= most {
        return whole;
    }
    let mut short = String::new();
    let mut length = 0;
    for letter in text.chars() {
        let next = escaped(letter.encode_utf8(&mut [0; 4]));
        length += next.chars().count();
        if length >= most {
            break;
        }
        short.push_str(&next);
    }
    short.push('…');
    short
}

fn color(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "#2e7d32",
        Severity::Warning => "#f9a825",
        Severity::Error => "#c62828",
    }
}

/// The request's body.
pub(crate) fn body(notice: &Notice) -> Value {
    let message = &notice.message;
    let title = if message.title.trim().is_empty() { &notice.occasion.event } else { &message.title };
    // A header shows plain text, in which nothing is a sign.
    let mut blocks = vec![json!({
        "type": "header",
        "text": { "type": "plain_text", "text": clipped(title, TITLE), "emoji": false },
    })];
    let markdown = |text: String| json!({ "type": "mrkdwn", "text": text, "verbatim": true });
    if !message.text.trim().is_empty() {
        blocks.push(json!({ "type": "section", "text": markdown(fitting(&message.text, TEXT)) }));
    }
    for group in message.fields.chunks(FIELDS) {
        let fields: Vec<Value> = group
            .iter()
            .map(|field| {
                let name = fitting(&field.name, FIELD / 4);
                let value = fitting(&field.value, FIELD - FIELD / 4 - 8);
                markdown(format!("*{name}*\n{value}"))
            })
            .collect();
        blocks.push(json!({ "type": "section", "fields": fields }));
    }
    let occasion = &notice.occasion;
    let context = format!("{} · {} · {}", occasion.target, occasion.environment, notice.created_at);
    blocks.push(json!({ "type": "context", "elements": [markdown(fitting(&context, CONTEXT))] }));
    json!({
        // What a notification on a telephone shows.
        "text": fitting(title, TITLE),
        "attachments": [{ "color": color(message.severity), "blocks": blocks }],
    })
}

/// Posts a notice.
pub(crate) async fn deliver(address: &Address, notice: &Notice, limit: Duration) -> Attempt {
    http::post(address, &[], body(notice).to_string(), limit).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notice::Field;
    use crate::notice::Occasion;
    use crate::notice::Wording;

    fn notice(title: &str, text: &str, fields: Vec<Field>) -> Notice {
        Notice {
            key: "k".to_owned(),
            created_at: "2026-11-21T12:00:00Z".to_owned(),
            channel: "team".to_owned(),
            message: Wording { severity: Severity::Error, title: title.to_owned(), text: text.to_owned(), fields },
            occasion: Occasion {
                event: "step-failed".to_owned(),
                details: serde_json::Map::new(),
                run_id: "r".to_owned(),
                operation: "upgrade".to_owned(),
                environment: "production".to_owned(),
                production: Some(true),
                target: "postgres://db/app".to_owned(),
                actor: "ann".to_owned(),
                host: "build".to_owned(),
                plan_hash: String::new(),
            },
        }
    }

    #[test]
    fn signs_of_slack_are_escaped() {
        let body = body(&notice("a <!channel> & b", "<https://evil|click> & <@U1>", Vec::new()));
        let text = body["attachments"][0]["blocks"][1]["text"]["text"].as_str().unwrap();
        assert_eq!(text, "&lt;https://evil|click&gt; &amp; &lt;@U1&gt;");
        assert_eq!(body["text"], "a &lt;!channel&gt; &amp; b");
        assert_eq!(body["attachments"][0]["color"], "#c62828");
        assert!(!body["text"].as_str().unwrap().contains("<!"), "{body}");
    }

    #[test]
    fn nothing_exceeds_the_limits_of_slack() {
        let field = Field { name: "<".repeat(5000), value: "&".repeat(5000) };
        let body = body(&notice(&"é".repeat(1000), &"&".repeat(10_000), vec![field; 25]));
        let blocks = body["attachments"][0]["blocks"].as_array().unwrap();
        let length = |value: &Value| value.as_str().unwrap().chars().count();
        assert_eq!(length(&blocks[0]["text"]["text"]), TITLE);
        let text = blocks[1]["text"]["text"].as_str().unwrap();
        assert!(text.chars().count() <= TEXT && text.ends_with("&amp;…"), "{}", text.len());
        assert_eq!(blocks.iter().filter(|block| block["fields"].is_array()).count(), 3);
        for field in blocks.iter().filter_map(|block| block["fields"].as_array()).flatten() {
            assert!(length(&field["text"]) <= FIELD, "{}", length(&field["text"]));
        }
        assert!(blocks.len() <= 50);
    }

    #[test]
    fn an_empty_title_is_no_error() {
        assert_eq!(body(&notice(" ", "", Vec::new()))["text"], "step-failed");
    }
}
