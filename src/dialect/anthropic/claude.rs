//! The rules of Claude models at any host.

use crate::dialect::neutral::{
    fit_schema, with_field, BodyWriter, Budget, ChatRequest, Choice, Effort, Format, Json, Object,
    Param, Tool,
};
use crate::regions::{Dialect, ThinkingStyle};
use std::borrow::Cow;

/// The least that may be given for thinking.
pub const LEAST_THINKING: u64 = 1_024;

/// How much a Claude thinks.
pub enum Thought {
    /// The default.
    Unsaid,
    /// Adaptive, with this effort.
    Adaptive(Option<Effort>),
    /// A budget of tokens, which counts towards the limit.
    Budget {
        /// The tokens.
        tokens: u64,
        /// The limit.
        limit: u64,
    },
}

/// How much a Claude is to think, as far as it can.
pub fn thought(
    request: &ChatRequest<'_>,
    style: ThinkingStyle,
    own: Dialect,
    writer: &mut BodyWriter<'_>,
) -> Thought {
    let Some(wanted) = request.thinking.filter(|thinking| thinking.is_on()) else {
        return Thought::Unsaid;
    };
    let forced = matches!(
        request.choice_with_json(),
        Some(Choice::Any | Choice::Named(_))
    );
    let budgets = style == ThinkingStyle::Budget;
    // It accepts no forced calls together with thinking and, with a budget, no tool
    // results without the thinking before them.
    if style == ThinkingStyle::None
        || forced
        || budgets && request.lacks_thought(|blob| writer.owns(blob, own))
    {
        writer.unsupported(Param::Thinking);
        return Thought::Unsaid;
    }
    if !budgets {
        return Thought::Adaptive(wanted.hardness());
    }
    if matches!(wanted.budget, Budget::Tokens(tokens) if tokens < LEAST_THINKING) {
        writer.leave_out(Param::Thinking);
    }
    let target = writer.target();
    let tokens = budget(wanted.budget, wanted.effort);
    // At most what the model generates in all, text included.
    let untold = target.max_output.saturating_add(tokens).min(target.longest);
    let limit = request.params.max_output.unwrap_or(untold);
    if limit <= LEAST_THINKING {
        writer.unsupported(Param::Thinking);
        return Thought::Unsaid;
    }
    Thought::Budget {
        tokens: tokens.min(limit - 1),
        limit,
    }
}

/// How many tokens to think.
pub fn budget(budget: Budget, effort: Option<Effort>) -> u64 {
    let tokens = match budget {
        Budget::Tokens(tokens) => tokens,
        _ => effort.unwrap_or(Effort::Medium).tokens(),
    };
    tokens.max(LEAST_THINKING)
}

/// Anthropic's word for an effort.
pub fn word(effort: Effort) -> &'static str {
    match effort {
        Effort::Minimal => "low",
        other => other.as_str(),
    }
}

/// A format's schema as Claude takes it.
pub fn claudes<'a>(format: &'a Format<'_>, writer: &mut BodyWriter<'a>) -> Json<'a> {
    let schema = described(format);
    match fit_schema(&schema) {
        Some(fit) => {
            writer.leave_out_if(fit.moved, Param::Format);
            fit.schema
        }
        None => schema,
    }
}

/// A format's schema. Its description has no place beside it, so it goes in.
pub fn described<'a>(format: &'a Format<'_>) -> Json<'a> {
    let Format::Schema {
        description,
        schema,
        ..
    } = format
    else {
        return Object::new().into();
    };
    let Some(text) = description else {
        return schema.lend();
    };
    if let Json::Raw(raw) = schema.plain() {
        return match with_field(raw, "description", text) {
            Some(raw) => Json::Raw(Cow::Owned(raw)),
            None => schema.lend(),
        };
    }
    let mut schema: Json<'a> = schema.plain().clone();
    if let Json::Object(fields) = &mut schema {
        if fields.get("description").is_none() {
            fields.set("description", text.as_ref());
        }
    }
    schema
}

/// A tool's schema. For strict tools, Claude supports fewer keywords.
pub fn tool_schema<'a>(tool: &'a Tool<'_>, writer: &mut BodyWriter<'a>) -> Json<'a> {
    let schema = tool.schema();
    if tool.strict != Some(true) {
        return schema;
    }
    match fit_schema(&schema) {
        Some(fit) => {
            writer.unsupported.leave_out_if(fit.moved, tool.path);
            fit.schema
        }
        None => schema,
    }
}
