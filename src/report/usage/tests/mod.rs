//! Questions read and refused, sums merged, pages that miss nothing.

mod written;

use super::*;
use crate::units::Millis;

/// 2026-05-20T10:30:00Z.
const NOW: Millis = Millis(1_779_273_000_000);

fn asked(query: &[(&str, &str)]) -> Result<Question, String> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let query: Vec<(String, String)> = query.iter().map(owned).collect();
    Question::read(&query, NOW)
}

fn refusal(name: &str, value: &str) -> String {
    asked(&[(name, value)]).unwrap_err()
}

/// A row with a key and a cost.
fn cost(key: &[(&str, &str)], cost: &str) -> Row {
    let sums = Sum::ALL.map(|sum| (sum.as_str().to_owned(), "1".to_owned()));
    let mut row = Row::from(sums);
    row.insert("cost_nano".into(), cost.into());
    row.extend(
        key.iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned())),
    );
    row
}

/// What a database answers to the groups' statement: what its SQL says, done
/// by hand over rows by team.
fn database(rows: &[Row], question: &Question) -> Found {
    let statement = question.groups();
    let limit = statement.values.last().unwrap().parse().unwrap();
    let after = statement
        .sql
        .contains("(team) > (?3)")
        .then(|| statement.values[2].clone());
    let mut groups: Vec<Row> = rows.to_vec();
    groups.sort_by(|a, b| a["team"].cmp(&b["team"]));
    groups.retain(|row| after.as_ref().is_none_or(|after| row["team"] > *after));
    groups.truncate(limit);
    Found {
        groups,
        total: rows.to_vec(),
        unknown: Vec::new(),
    }
}

#[test]
fn the_usual_range_is_thirty_days_of_whole_hours() {
    let page = asked(&[]).unwrap().page(&[]).unwrap();
    assert_eq!(
        (page.from.as_str(), page.to.as_str()),
        ("2026-04-20T11:00:00Z", "2026-05-20T11:00:00Z")
    );
    for (from, to, first, end) in [
        (
            "2026-05-01",
            "2026-05-31",
            "2026-05-01T00:00:00Z",
            "2026-06-01T00:00:00Z",
        ),
        (
            "2026-05-01T10:00:00Z",
            "2026-05-01T11:00:00Z",
            "2026-05-01T10:00:00Z",
            "2026-05-01T11:00:00Z",
        ),
        // An hour belongs to the range when its beginning does.
        (
            "2026-05-01T10:00:01Z",
            "2026-05-01T12:00:01Z",
            "2026-05-01T11:00:00Z",
            "2026-05-01T13:00:00Z",
        ),
        (
            "2026-05-01T12:00:00+02:00",
            "2026-05-01",
            "2026-05-01T10:00:00Z",
            "2026-05-02T00:00:00Z",
        ),
    ] {
        let page = asked(&[("from", from), ("to", to)])
            .unwrap()
            .page(&[])
            .unwrap();
        assert_eq!(
            (page.from.as_str(), page.to.as_str()),
            (first, end),
            "{from} {to}"
        );
    }
    let page = asked(&[("to", "2026-03-31")]).unwrap().page(&[]).unwrap();
    assert_eq!(page.from, "2026-03-02T00:00:00Z");
    let page = asked(&[("from", "2026-05-20")]).unwrap().page(&[]).unwrap();
    assert_eq!(page.to, "2026-05-20T11:00:00Z");
}

#[test]
fn what_cannot_be_meant_is_refused_with_a_way_out() {
    assert_eq!(
        refusal("taem", "x"),
        "There is no parameter `taem`; did you mean `team`?"
    );
    assert_eq!(
        refusal("enviroment", "x"),
        "There is no parameter `enviroment`; did you mean `environment`?"
    );
    assert!(refusal("q", "x").starts_with("There is no parameter `q`; there are: from, to, by,"));
    assert_eq!(
        refusal("by", "modle"),
        "`by` has no `modle`; did you mean `model`?"
    );
    assert_eq!(
        refusal("by", "team,"),
        "`by` has no ``; there are: hour, day, zone, team, feature, environment, model, endpoint."
    );
    assert_eq!(
        refusal("by", "team, team"),
        "`by` has `team` twice; say it once."
    );
    assert!(refusal("by", "cost_nano").starts_with("`by` has no `cost_nano`; "));
    for limit in ["0", "1001", "-1", "x", "", "1.5", "99999999999999999999"] {
        assert_eq!(
            refusal("limit", limit),
            "`limit` must be a whole number from 1 to 1000."
        );
    }
    assert_eq!(
        refusal("format", "xml"),
        "`format` must be `json` or `csv`."
    );
    assert_eq!(
        refusal("from", "yesterday"),
        "`from` must be a day or a time: 2026-05-01 or 2026-05-01T10:00:00Z."
    );
    assert!(refusal("to", "2026-02-29").starts_with("`to` must be a day"));
    let twice = asked(&[("team", "a"), ("team", "b")]).unwrap_err();
    assert_eq!(twice, "`team` is given twice; give it once.");
    for (from, to) in [
        ("2026-05-02", "2026-05-01"),
        ("2026-05-01T10:10:00Z", "2026-05-01T10:50:00Z"),
    ] {
        let wrong = asked(&[("from", from), ("to", to)]).unwrap_err();
        assert!(wrong.starts_with("No hour begins between"), "{wrong}");
    }
    assert!(refusal(&"x".repeat(10_000), "").len() < 300);
}

#[test]
fn what_is_asked_is_bound_and_never_part_of_the_sql() {
    let evil = "'; DROP TABLE usage_by_hour; --";
    let cursor = asked(&[("by", "day,team"), ("limit", "1")]).unwrap();
    let rows = [
        cost(&[("day", evil), ("team", "")], "1"),
        cost(&[("day", "~"), ("team", "")], "1"),
    ];
    let found = Found {
        groups: rows.to_vec(),
        total: Vec::new(),
        unknown: Vec::new(),
    };
    let after = cursor.page(&[found]).unwrap().next.unwrap();
    let filters = [
        "zone",
        "team",
        "feature",
        "environment",
        "model",
        "endpoint",
    ];
    let mut query: Vec<(&str, &str)> = filters.iter().map(|name| (*name, evil)).collect();
    query.extend([
        ("by", "day,team"),
        ("after", after.as_str()),
        ("limit", "7"),
    ]);
    let question = asked(&query).unwrap();
    for statement in [question.groups(), question.total()] {
        assert!(!statement.sql.contains("DROP"), "{}", statement.sql);
        let bound = statement.values.len();
        assert!(
            statement.sql.contains(&format!("?{bound}"))
                && !statement.sql.contains(&format!("?{}", bound + 1))
        );
    }
    let by_hour = asked(&[
        ("by", "hour,team"),
        ("feature", ""),
        ("from", "2026-05-01"),
        ("to", "2026-05-01"),
    ])
    .unwrap();
    let Statement { sql, values } = by_hour.groups();
    assert_eq!(values, ["1777593600000", "1777680000000", "", "101"]);
    let (head, tail) = sql
        .split_once(", CAST(COALESCE(sum(calls), 0) AS TEXT) AS calls")
        .unwrap();
    assert_eq!(
        head,
        "SELECT strftime('%Y-%m-%dT%H:00:00Z', hour / 1000, 'unixepoch') AS hour, team AS team"
    );
    let (_, tail) = tail.split_once(" FROM ").unwrap();
    assert_eq!(tail, "usage_by_hour WHERE hour >= CAST(?1 AS INTEGER) AND hour < CAST(?2 AS INTEGER) AND feature = ?3 GROUP BY 1, 2 ORDER BY 1, 2 LIMIT CAST(?4 AS INTEGER)");
    assert!(!asked(&[]).unwrap().groups().sql.contains("GROUP BY"));
}

#[test]
fn groups_of_several_databases_are_added_exactly() {
    let question = asked(&[("by", "team")]).unwrap();
    // More than a float can tell apart.
    let one = [
        cost(&[("team", "b")], "9007199254740993"),
        cost(&[("team", "")], "1"),
    ];
    let other = [
        cost(&[("team", "b")], "9007199254740994"),
        cost(&[("team", "a")], "5"),
    ];
    let found = [database(&one, &question), database(&other, &question)];
    let page = question.page(&found).unwrap();
    let told: Vec<(&str, i64, i64)> = page
        .groups
        .iter()
        .map(|g| (g.key[0].as_str(), g.sums.cost().0, g.sums.of(Sum::Calls)))
        .collect();
    assert_eq!(
        told,
        [("", 1, 1), ("a", 5, 1), ("b", 18_014_398_509_481_987, 2)]
    );
    assert_eq!(
        (page.total.cost().0, page.total.of(Sum::Calls)),
        (18_014_398_509_481_993, 4)
    );
    assert_eq!(page.next, None);
    let turned = [found[1].clone(), found[0].clone()];
    assert_eq!(question.page(&turned).unwrap(), page);
}

#[test]
fn sums_that_would_be_wrong_are_refused() {
    let question = asked(&[("by", "team")]).unwrap();
    let most = [cost(&[("team", "a")], "9223372036854775807")];
    let found = database(&most, &question);
    assert!(question.page(std::slice::from_ref(&found)).is_ok());
    let wrong = question.page(&[found.clone(), found]).unwrap_err();
    assert!(wrong.contains("too large"), "{wrong}");
    let mut without = cost(&[("team", "a")], "1");
    without.remove("input");
    for row in [cost(&[("team", "a")], "1.5"), cost(&[], "1"), without] {
        let found = Found {
            groups: vec![row],
            total: Vec::new(),
            unknown: Vec::new(),
        };
        let wrong = question.page(&[found]).unwrap_err();
        assert!(wrong.contains("usage_by_hour"), "{wrong}");
    }
}

#[test]
fn pages_together_are_all_groups_each_once_and_whole() {
    // Some teams in one database, some in the other, each third in both.
    let teams: Vec<String> = (0..50).map(|n| format!("é{n:02}")).collect();
    let rows = |skip: usize| -> Vec<Row> {
        let some = teams.iter().enumerate().filter(|(n, _)| n % 3 != skip);
        some.map(|(n, team)| cost(&[("team", team)], &n.to_string()))
            .collect()
    };
    let databases = [rows(0), rows(1)];
    let all = |limit: &str| {
        let (mut groups, mut after, mut pages) = (Vec::new(), None::<String>, 0);
        loop {
            let mut query = vec![("by", "team"), ("limit", limit)];
            query.extend(after.as_deref().map(|after| ("after", after)));
            let question = asked(&query).unwrap();
            let page = question
                .page(&databases.each_ref().map(|rows| database(rows, &question)))
                .unwrap();
            assert_eq!(
                page.total.cost().0,
                (0..50)
                    .map(|n| if n % 3 == 2 { 2 * n } else { n })
                    .sum::<i64>()
            );
            groups.extend(page.groups);
            pages += 1;
            assert!(pages <= 50, "pages without end");
            after = page.next;
            if after.is_none() {
                return (groups, pages);
            }
        }
    };
    let (whole, pages) = all("1000");
    assert_eq!((whole.len(), pages), (50, 1));
    assert_eq!(whole[2].sums.cost().0, 4);
    for (limit, expected) in [("1", 50), ("7", 8), ("25", 2), ("49", 2), ("50", 1)] {
        assert_eq!(all(limit), (whole.clone(), expected), "{limit}");
    }
}

#[test]
fn a_cursor_keeps_its_range_and_fits_its_question_only() {
    let query = [
        ("by", "team"),
        ("limit", "1"),
        ("from", "2026-03-10"),
        ("to", "2026-03-31"),
    ];
    let question = asked(&query).unwrap();
    let rows = [cost(&[("team", "a")], "1"), cost(&[("team", "b")], "1")];
    let next = question
        .page(&[database(&rows, &question)])
        .unwrap()
        .next
        .unwrap();
    let on = asked(&[("by", "team"), ("after", &next)])
        .unwrap()
        .page(&[])
        .unwrap();
    assert_eq!(
        (on.from.as_str(), on.to.as_str()),
        ("2026-03-10T00:00:00Z", "2026-04-01T00:00:00Z")
    );
    for by in ["", "model", "team,model"] {
        let wrong = asked(&[("by", by), ("after", &next)]).unwrap_err();
        assert!(
            wrong.starts_with("`after` is none that was given out"),
            "{wrong}"
        );
    }
    for after in ["", "x", "e30", "é", "bnVsbA", &next[1..]] {
        assert!(
            asked(&[("by", "team"), ("after", after)]).is_err(),
            "{after}"
        );
    }
}
