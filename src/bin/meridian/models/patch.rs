//! Edits as a unified diff, which people read and `patch` takes.

use super::edit::{apply, Edit};
use std::fmt::Write;
use std::ops::Range;

/// So many lines around a change are shown.
const CONTEXT: usize = 3;

/// Lines and what stands there instead.
struct Change {
    lines: Range<usize>,
    new: String,
}

/// A text with the places where its lines begin.
struct Lines<'s> {
    text: &'s str,
    lines: Vec<&'s str>,
    starts: Vec<usize>,
}

/// What edits change in one file.
pub fn patch(file: &str, text: &str, edits: &[&Edit]) -> String {
    let lines = Lines::of(text);
    let changes = changes(&lines, edits);
    let mut written = format!("--- a/{file}\n+++ b/{file}\n");
    let mut grown = 0;
    let mut rest = changes.as_slice();
    while let Some(first) = rest.first() {
        let near = |pair: &[Change]| match pair {
            [a, b] => b.lines.start <= a.lines.end + 2 * CONTEXT,
            _ => false,
        };
        let together = 1 + rest.windows(2).take_while(|pair| near(pair)).count();
        let (hunk, after) = rest.split_at_checked(together).unwrap_or((rest, &[]));
        let end = hunk.last().map_or(0, |last| last.lines.end);
        let shown = first.lines.start.saturating_sub(CONTEXT)..lines.until(end + CONTEXT);
        let old = shown.len();
        let new = old
            + hunk
                .iter()
                .map(|one| one.new.split_inclusive('\n').count())
                .sum::<usize>()
            - hunk.iter().map(|one| one.lines.len()).sum::<usize>();
        let begins = shown.start + 1;
        let _ = writeln!(written, "@@ -{begins},{old} +{},{new} @@", begins + grown);
        grown = grown + new - old.min(grown + new);
        let mut at = shown.start;
        for change in hunk {
            mark(&mut written, ' ', lines.part(at..change.lines.start));
            mark(&mut written, '-', lines.part(change.lines.clone()));
            mark(&mut written, '+', change.new.split_inclusive('\n'));
            at = change.lines.end;
        }
        mark(&mut written, ' ', lines.part(at..shown.end));
        rest = after;
    }
    written
}

impl<'s> Lines<'s> {
    fn of(text: &'s str) -> Lines<'s> {
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let mut starts = vec![0];
        for line in &lines {
            starts.push(starts.last().copied().unwrap_or(0) + line.len());
        }
        Lines {
            text,
            lines,
            starts,
        }
    }

    fn until(&self, line: usize) -> usize {
        line.min(self.lines.len())
    }

    fn part(&self, lines: Range<usize>) -> impl Iterator<Item = &'s str> + use<'_, 's> {
        self.lines.get(lines).unwrap_or_default().iter().copied()
    }

    /// Where a line begins, or the text ends.
    fn start(&self, line: usize) -> usize {
        self.starts.get(line).copied().unwrap_or(self.text.len())
    }

    /// The lines that a part of the text touches; none for a place between two.
    fn touched(&self, part: &Range<usize>) -> Range<usize> {
        let first = self.starts.partition_point(|start| *start <= part.start);
        let open = !self.text.is_empty() && !self.text.ends_with('\n');
        let last = self.lines.len().saturating_sub(usize::from(open));
        let first = first.saturating_sub(1).min(last);
        match part.is_empty() && self.start(first) == part.start {
            true => first..first,
            false => {
                first
                    ..self
                        .starts
                        .partition_point(|start| *start < part.end)
                        .max(first + 1)
            }
        }
    }
}

/// The edits by the lines that they touch, in order.
fn changes(lines: &Lines<'_>, edits: &[&Edit]) -> Vec<Change> {
    let mut edits = edits.to_vec();
    edits.sort_by_key(|edit| edit.range.start);
    let mut groups: Vec<(Range<usize>, Vec<Edit>)> = Vec::new();
    for edit in edits {
        let touched = lines.touched(&edit.range);
        match groups.last_mut() {
            Some((last, group)) if touched.start < last.end || touched == *last => {
                last.end = last.end.max(touched.end);
                group.push(edit.clone());
            }
            _ => groups.push((touched, vec![edit.clone()])),
        }
    }
    let change = |(touched, mut group): (Range<usize>, Vec<Edit>)| {
        let (from, to) = (lines.start(touched.start), lines.start(touched.end));
        for edit in &mut group {
            edit.range = edit.range.start - from..edit.range.end - from;
        }
        let part = lines.text.get(from..to).unwrap_or_default();
        let new = apply(part, &group.iter().collect::<Vec<_>>()).unwrap_or_default();
        Change {
            lines: touched,
            new,
        }
    };
    groups.into_iter().map(change).collect()
}

fn mark<'s>(written: &mut String, mark: char, lines: impl Iterator<Item = &'s str>) {
    for line in lines {
        written.push(mark);
        written.push_str(line);
        if !line.ends_with('\n') {
            written.push_str("\n\\ No newline at end of file\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(range: Range<usize>, text: &str) -> Edit {
        Edit {
            file: "f".to_owned(),
            range,
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_diff_has_what_changes_and_three_lines_around() {
        let text: String = (1..=30).map(|n| format!("l{n}\n")).collect();
        let at = |line: &str| text.find(line).unwrap();
        let one = edit(at("l5\n") + 1..at("l5\n") + 2, "five");
        let two = edit(at("l6\n")..at("l6\n"), "new\n");
        let three = edit(text.len()..text.len(), "end\n");
        let expected = "--- a/f\n+++ b/f\n@@ -2,7 +2,8 @@\n l2\n l3\n l4\n-l5\n+lfive\n+new\n l6\n l7\n l8\n@@ -28,3 +29,4 @@\n l28\n l29\n l30\n+end\n";
        assert_eq!(patch("f", &text, &[&three, &two, &one]), expected);
    }

    #[test]
    fn a_last_line_without_an_end_is_told() {
        let added = edit(1..1, "\nb\n");
        let expected =
            "--- a/f\n+++ b/f\n@@ -1,1 +1,2 @@\n-a\n\\ No newline at end of file\n+a\n+b\n";
        assert_eq!(patch("f", "a", &[&added]), expected);
    }
}
