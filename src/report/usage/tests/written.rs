//! What a page looks like, as CSV and as JSON.

use super::super::*;
use super::{asked, cost};

#[test]
fn csv_is_rfc_4180_and_no_formula() {
    let question = asked(&[("by", "team,feature"), ("format", "csv")]).unwrap();
    assert!(question.csv);
    let keys = [
        ["=1+1", "plain"],
        ["+x", "a \"quoted\" one"],
        ["-x", "with, comma"],
        ["@x", "two\nlines"],
        ["\tx", ""],
        ["x=1", "ü"],
    ];
    let rows =
        keys.map(|[team, feature]| cost(&[("team", team), ("feature", feature)], "1234567890"));
    let found = Found {
        groups: rows.to_vec(),
        total: Vec::new(),
        unknown: Vec::new(),
    };
    let page = question.page(&[found]).unwrap();
    let golden = "team,feature,calls,not_ok,estimated,unpriced,input,cache_read,cache_write,output,reasoning,cost_nano,cost,lost_nano,held_nano,held,held_calls,at_least\r\n\
        '\tx,,1,1,1,1,1,1,1,1,1,1234567890,$1.234567890,1,1,$0.000000001,1,1\r\n\
        '+x,\"a \"\"quoted\"\" one\",1,1,1,1,1,1,1,1,1,1234567890,$1.234567890,1,1,$0.000000001,1,1\r\n\
        '-x,\"with, comma\",1,1,1,1,1,1,1,1,1,1234567890,$1.234567890,1,1,$0.000000001,1,1\r\n\
        '=1+1,plain,1,1,1,1,1,1,1,1,1,1234567890,$1.234567890,1,1,$0.000000001,1,1\r\n\
        '@x,\"two\nlines\",1,1,1,1,1,1,1,1,1,1234567890,$1.234567890,1,1,$0.000000001,1,1\r\n\
        x=1,ü,1,1,1,1,1,1,1,1,1,1234567890,$1.234567890,1,1,$0.000000001,1,1\r\n";
    assert_eq!(csv(&page.by, &page.groups), golden);
    // Numbers are no text: a minus is theirs.
    let minus = Found {
        groups: vec![cost(&[("team", "a"), ("feature", "")], "-5")],
        total: Vec::new(),
        unknown: Vec::new(),
    };
    let minus = question.page(&[minus]).unwrap();
    assert!(csv(&minus.by, &minus.groups).contains(",-5,-$0.000000005,"));
}

#[test]
fn json_tells_all_and_is_read_again() {
    let question = asked(&[("by", "day,team"), ("limit", "1")]).unwrap();
    let rows = [
        cost(&[("day", "2026-05-01"), ("team", "a")], "1234567890"),
        cost(&[("day", "2026-05-02"), ("team", "")], "7"),
    ];
    let found = Found {
        groups: rows.to_vec(),
        total: vec![cost(&[], "1234567897")],
        unknown: Vec::new(),
    };
    let page = question.page(&[found]).unwrap();
    let told = page.json();
    let sums = |nano: i64, dollars: &str| {
        json!({"calls": 1, "not_ok": 1, "estimated": 1, "unpriced": 1, "input": 1, "cache_read": 1,
            "cache_write": 1, "output": 1, "reasoning": 1, "cost_nano": nano, "cost": dollars, "lost_nano": 1,
            "held_nano": 1, "held": "$0.000000001", "held_calls": 1, "at_least": 1})
    };
    let mut group = sums(1_234_567_890, "$1.234567890");
    group["day"] = json!("2026-05-01");
    group["team"] = json!("a");
    assert_eq!(told["groups"], json!([group]));
    assert_eq!(told["total"], sums(1_234_567_897, "$1.234567897"));
    assert_eq!(told["by"], json!(["day", "team"]));
    assert!(told["next"].is_string());
    assert_eq!(Page::read(&told), Some(page));
    let sum = asked(&[]).unwrap();
    let found = Found {
        groups: vec![cost(&[], "2")],
        total: vec![cost(&[], "2")],
        unknown: Vec::new(),
    };
    let page = sum.page(&[found.clone(), found]).unwrap();
    assert_eq!(
        (
            page.groups.len(),
            page.groups[0].sums.cost().0,
            page.next.clone()
        ),
        (1, 4, None)
    );
    assert_eq!(Page::read(&page.json()), Some(page));
    for odd in [
        json!(null),
        json!({}),
        json!({"by": ["x"], "groups": [], "total": {}, "from": "", "to": ""}),
    ] {
        assert_eq!(Page::read(&odd), None);
    }
}

#[test]
fn guard_fields_that_nobody_knows_are_told_each_once() {
    let question = asked(&[("team", "a"), ("feature", "")]).unwrap();
    let Statement { sql, values } = question.unknown();
    assert!(sql.contains("coalesce(team, '') = ?3 AND coalesce(feature, '') = ?4"));
    assert_eq!(values[2..], ["a", ""]);
    let found = |fields: &[&str]| Found {
        groups: vec![cost(&[], "1")],
        total: vec![cost(&[], "1")],
        unknown: fields
            .iter()
            .map(|text| Row::from([("at_least".to_owned(), (*text).to_owned())]))
            .collect(),
    };
    let page = question
        .page(&[found(&["b_seconds,a.tokens"]), found(&["b_seconds", ""])])
        .unwrap();
    assert_eq!(page.at_least_fields, ["a.tokens", "b_seconds"]);
    assert_eq!(page.total.of(Sum::AtLeast), 2);
    let mut told = page.json();
    assert_eq!(told["at_least_fields"], json!(["a.tokens", "b_seconds"]));
    assert_eq!(Page::read(&told), Some(page));
    // A gateway of an earlier version.
    told.as_object_mut().unwrap().remove("at_least_fields");
    told["total"].as_object_mut().unwrap().remove("at_least");
    let earlier = Page::read(&told).unwrap();
    assert_eq!(
        (
            earlier.at_least_fields.len(),
            earlier.total.of(Sum::AtLeast)
        ),
        (0, 0)
    );
}
