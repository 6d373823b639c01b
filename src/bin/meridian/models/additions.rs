//! The edits that add a model: its price, its claim at the endpoint that
//! promises no place, and the names that applications know it by. A place is
//! never claimed: what a reviewer has to find out is a comment.

use super::catalogue::Kind;
use super::edit::{key, quoted, Document, Edit};
use super::fresh::Fresh;
use super::map_model::MapModel;
use super::name::Name;
use super::prices;
use meridian::regions::{Claim, Endpoint};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Who has reviewed what this command writes.
pub const NOBODY: &str = "nobody yet (meridian models update)";
/// No comment is wider.
const WIDTH: usize = 108;

/// The files of the project that are edited.
pub struct Project<'s> {
    /// `prices.toml`.
    pub prices: Document<'s>,
    /// `gateway.toml`.
    pub gateway: Document<'s>,
    /// Those of `regions/endpoints`.
    pub endpoints: Vec<Document<'s>>,
}

impl Fresh<'_> {
    /// Whether anything can be proposed: its price is known and undisputed.
    pub fn is_proposed(&self) -> bool {
        self.disputes.is_empty() && self.prices.iter().any(|price| price.field == "input")
    }

    /// The edits that add it.
    pub fn edits(&self, project: &Project<'_>, mapped: &[MapModel<'_>], today: &str) -> Vec<Edit> {
        if !self.is_proposed() {
            return Vec::new();
        }
        let mut edits: Vec<Edit> = self.price(project, mapped, today).into_iter().collect();
        match self.worldwide {
            Some(endpoint) => {
                edits.extend(self.claim(project, endpoint, mapped, today));
                edits.extend(self.names(project, mapped));
            }
            None => edits.extend(self.note(project)),
        }
        edits
    }

    /// Models of the same seller or line, and of the same kind.
    fn kin<'h, 'c>(
        &self,
        mapped: &'h [MapModel<'c>],
    ) -> impl Iterator<Item = &'h MapModel<'c>> + use<'_, 'h, 'c> {
        let embeds = self.kind == Kind::Embedding;
        let line = Name::of(&self.name).family.into_iter().next();
        mapped.iter().filter(move |mapped| {
            let alike = (mapped.kind() == Kind::Embedding) == embeds;
            let own = Name::of(mapped.model).family.into_iter().next();
            alike && (mapped.home() == Some(self.seller) || own == line)
        })
    }

    fn price(&self, project: &Project<'_>, mapped: &[MapModel<'_>], today: &str) -> Option<Edit> {
        let book = &project.prices;
        let kin: Vec<&str> = self.kin(mapped).map(|mapped| mapped.model).collect();
        let order = book.keys(&[]);
        let last = order.iter().rev().find(|model| kin.contains(model));
        let last = last.or(order.last())?;
        let source = usual_source(book, &kin, last);
        let tail = format!("source = {}\nfrom = {today}\n", quoted(source));
        let block = prices::block(&self.name, &self.prices, self.web_search, &tail);
        let alone = match self.listed.as_slice() {
            [one] => format!("# From {one} alone.\n"),
            _ => String::new(),
        };
        book.after(&[last], &format!("\n{alone}{block}"))
    }

    /// What to do for zones that hold a request to a place.
    fn review(&self) -> String {
        let places: Vec<&str> = self.regional.values().flatten().copied().collect();
        match places.is_empty() {
            true => String::new(),
            false => format!(
                "TODO before a zone that is held to a place can use it: whether {} have it, and under \
                 which `id`; `hosting`, `guarantee` and the `source` that says so; `reviewed` and \
                 `reviewer`, by whoever read it.",
                places.join(", ")
            ),
        }
    }

    fn claim(
        &self,
        project: &Project<'_>,
        endpoint: &Endpoint,
        mapped: &[MapModel<'_>],
        today: &str,
    ) -> Option<Edit> {
        let like = self.like(endpoint, mapped)?;
        let (ways, alike) = behaviour(like);
        let mut text = format!(
            "From {}: no place is claimed, and nobody has reviewed it.",
            self.listed.join(" and ")
        );
        if !alike.is_empty() {
            let _ = write!(text, " {alike} as for {}: compare.", like.model);
        }
        if self.context.is_none() {
            text.push_str(" No catalogue has its `context`.");
        }
        let mut block = comment(&text);
        block.push_str(&comment(&self.review()));
        let _ = writeln!(
            block,
            "[{}.models.{}]\nid = {}",
            key(&endpoint.name),
            quoted(&self.name),
            quoted(&self.id)
        );
        block.push_str(&ways.before);
        for (name, most) in [("context", self.context), ("max_output", self.max_output)] {
            if let Some(most) = most.filter(|_| name == "context" || self.kind != Kind::Embedding) {
                let _ = writeln!(block, "{name} = {most}");
            }
        }
        block.push_str(&ways.after);
        let _ = write!(
            block,
            "hosting = {}\nguarantee = {}\nsource = {}\nreviewed = {today}\nreviewer = {}\n",
            quoted(&like.hosting.0),
            quoted(like.guarantee.as_str()),
            quoted(&like.source),
            quoted(NOBODY)
        );
        let file = project
            .endpoints
            .iter()
            .find(|file| file.has(&[&endpoint.name]))?;
        file.after(&[&endpoint.name], &format!("\n{block}"))
    }

    /// The claim there that is likely to behave most alike: of its family, or the
    /// last of its kind.
    fn like<'e>(&self, endpoint: &'e Endpoint, mapped: &[MapModel<'_>]) -> Option<&'e Claim> {
        let family = Name::of(&self.name).family;
        let kin: Vec<&str> = self.kin(mapped).map(|mapped| mapped.model).collect();
        let claims = || endpoint.models.iter().rev();
        let near = claims().find(|claim| Name::of(&claim.model).family == family);
        let kind = || claims().find(|claim| kin.contains(&claim.model.as_str()));
        near.or_else(kind).or_else(|| endpoint.models.last())
    }

    /// What is to do, where no endpoint serves it without a place.
    fn note(&self, project: &Project<'_>) -> Option<Edit> {
        let mut names = self.regional.values().flatten();
        let first = *names.next()?;
        let mut files = project.endpoints.iter();
        let file = files.find(|file| file.has(&[first]))?;
        let last = names.rfind(|name| file.has(&[name]));
        let last = last.copied().unwrap_or(first);
        let text = format!(
            "{} ({}) is claimed nowhere. {}",
            self.name,
            self.id,
            self.review()
        );
        file.after(&[last], &format!("\n{}", comment(&text)))
    }

    /// The seller's name for the version, as applications may write it.
    fn names(&self, project: &Project<'_>, mapped: &[MapModel<'_>]) -> Vec<Edit> {
        let gateway = &project.gateway;
        let lines: String = self
            .aliases
            .iter()
            .filter(|alias| !gateway.has(&["aliases", alias]))
            .map(|alias| format!("{} = {}\n", quoted(alias), quoted(&self.name)))
            .collect();
        let kin: Vec<&str> = self.kin(mapped).map(|mapped| mapped.model).collect();
        let keys = gateway.keys(&["aliases"]);
        let dated = |alias: &&&str| super::name::undated(alias) != **alias;
        let means = |alias: &&&str| {
            let meant = gateway.text(&["aliases", alias]);
            meant.is_some_and(|meant| kin.contains(&meant))
        };
        let near = keys.iter().filter(dated).rev().find(means).or(keys.last());
        match (lines.is_empty(), near) {
            (true, _) => Vec::new(),
            (false, Some(near)) => gateway
                .after(&["aliases", near], &lines)
                .into_iter()
                .collect(),
            (false, None) => gateway.after(&["aliases"], &lines).into_iter().collect(),
        }
    }
}

/// The page that most of these models' prices are from.
fn usual_source<'d>(book: &'d Document<'_>, kin: &[&str], last: &str) -> &'d str {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for source in kin.iter().filter_map(|model| book.text(&[model, "source"])) {
        *counts.entry(source).or_default() += 1;
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count);
    let last = || book.text(&[last, "source"]).unwrap_or_default();
    most.map_or_else(last, |(source, _)| source)
}

/// Lines of a claim that say how a model behaves.
struct Ways {
    before: String,
    after: String,
}

/// How a model behaves at an endpoint, and the names of the lines that say so.
fn behaviour(like: &Claim) -> (Ways, String) {
    let mut names = Vec::new();
    let mut ways = Ways {
        before: String::new(),
        after: String::new(),
    };
    if let Some(signatures) = &like.signatures {
        names.push("`signatures`");
        let _ = writeln!(ways.before, "signatures = {}", quoted(signatures));
    }
    if !like.without.is_empty() {
        names.push("`without`");
        let fields: Vec<String> = like.without.iter().map(|field| quoted(field)).collect();
        let _ = writeln!(ways.before, "without = [{}]", fields.join(", "));
    }
    if let Some(choices) = like.max_choices {
        names.push("`max_choices`");
        let _ = writeln!(ways.after, "max_choices = {choices}");
    }
    if like.completions {
        names.push("`completions`");
        let _ = writeln!(ways.after, "completions = true");
    }
    if let Some(thinking) = like.thinking {
        names.push("`thinking`");
        let _ = writeln!(ways.after, "thinking = {}", quoted(thinking.as_str()));
    }
    (ways, names.join(", "))
}

/// Words as comment lines.
fn comment(words: &str) -> String {
    let mut lines = String::new();
    let mut line = String::from("#");
    for word in words.split_whitespace() {
        if line.len() + word.len() >= WIDTH {
            lines.push_str(&line);
            lines.push('\n');
            line = String::from("#");
        }
        line.push(' ');
        line.push_str(word);
    }
    match words.is_empty() {
        true => String::new(),
        false => format!("{lines}{line}\n"),
    }
}
