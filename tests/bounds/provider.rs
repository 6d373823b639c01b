//! Requests as a caller could mean them, and what an independent model of a
//! provider bills for each at worst.

use meridian::config::prices::{Price, PriceBook};
use meridian::dialect::Api;
use proptest::prelude::*;
use serde_json::{json, Value};

/// A tool that the provider runs.
#[derive(Debug, Clone)]
pub struct Hosted {
    pub kind: &'static str,
    pub word: &'static str,
    /// What the request says of how often, where the tool knows that.
    pub uses: Option<u64>,
}

/// A request, and what is behind it.
#[derive(Debug, Clone)]
pub struct Body {
    pub api: Api,
    text: String,
    /// The tokens of files at an address.
    remote: Vec<u64>,
    /// The tokens of what the provider keeps.
    stored: Option<u64>,
    /// The pages of documents in the body.
    documents: Vec<u64>,
    pictures: usize,
    own_tools: usize,
    pub hosted: Vec<Hosted>,
    pub tool_calls: Option<u64>,
    most: Option<u64>,
    n: Option<u64>,
    thinks: bool,
    compacts: bool,
    long: bool,
}

pub fn bodies() -> impl Strategy<Value = Body> {
    let api = prop::sample::select(vec![Api::Chat, Api::Responses, Api::Messages]);
    let text = prop_oneof![".{0,200}", "[A-Za-z0-9+/]{0,1500}"];
    let inputs = (
        text,
        prop::collection::vec(1_u64..3_000_000, 0..3),
        prop::option::weighted(0.3, 1_u64..3_000_000),
        prop::collection::vec(1_u64..600, 0..2),
        0_usize..4,
        0_usize..4,
    );
    let hosted = prop::collection::vec((0_usize..4, prop::option::of(0_u64..8)), 0..3);
    let outputs = (
        prop::option::of(prop_oneof![1_u64..300, 1_u64..=1_000_000]),
        prop::option::weighted(0.3, 1_u64..=128),
        prop::option::weighted(0.4, 0_u64..5),
    );
    let flags = (
        any::<bool>(),
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.2),
    );
    (
        api,
        inputs,
        prop::option::weighted(0.5, hosted),
        outputs,
        flags,
    )
        .prop_map(|(api, inputs, hosted, outputs, flags)| {
            let (text, remote, stored, documents, pictures, own_tools) = inputs;
            let (most, n, tool_calls) = outputs;
            let (thinks, compacts, long) = flags;
            let hosted = hosted.unwrap_or_default().into_iter();
            let hosted = hosted.map(|(which, uses)| tool(api, which, uses)).collect();
            let own = |of: Api| api == of;
            Body {
                api,
                text,
                remote,
                stored: stored.filter(|_| own(Api::Responses)),
                documents,
                pictures,
                own_tools,
                hosted,
                tool_calls: tool_calls.filter(|_| own(Api::Responses)),
                most,
                n: n.filter(|_| own(Api::Chat)),
                thinks,
                compacts: compacts && !own(Api::Chat),
                long: long && own(Api::Messages),
            }
        })
}

fn tool(api: Api, which: usize, uses: Option<u64>) -> Hosted {
    let (kind, word) = match (api, which) {
        (Api::Messages, 0 | 3) => ("web-search", "web_search_20250305"),
        (Api::Messages, 1) => ("web-fetch", "web_fetch_20250910"),
        (Api::Messages, _) => ("code-execution", "code_execution_20250825"),
        (_, 0 | 3) => ("web-search", "web_search"),
        (_, 1) => ("file-search", "file_search"),
        _ => ("code-execution", "code_interpreter"),
    };
    let counts = api == Api::Messages && kind != "code-execution";
    Hosted {
        kind,
        word,
        uses: uses.filter(|_| counts),
    }
}

/// How often the provider runs a tool at most; none if nobody knows.
pub fn runs(tool: &Hosted, all: Option<u64>, claimed: Option<u32>) -> Option<u64> {
    let known = [tool.uses, all, claimed.map(u64::from)];
    known.into_iter().flatten().min()
}

impl Body {
    pub fn headers(&self) -> Vec<(&'static str, &'static str)> {
        match self.long {
            true => vec![("anthropic-beta", "context-1m-2025-08-07")],
            false => Vec::new(),
        }
    }

    /// As it is sent.
    pub fn json(&self, model: &str) -> Value {
        let mut body = match self.api {
            Api::Responses => {
                json!({"model": model, "input": [{"role": "user", "content": self.parts()}]})
            }
            _ => json!({"model": model, "messages": [{"role": "user", "content": self.parts()}]}),
        };
        let tools = self.tools();
        if !tools.is_empty() {
            body["tools"] = tools.into();
        }
        let limit = match self.api {
            Api::Responses => "max_output_tokens",
            Api::Messages => "max_tokens",
            _ if self.pictures.is_multiple_of(2) => "max_tokens",
            _ => "max_completion_tokens",
        };
        if let Some(most) = self.most {
            body[limit] = most.into();
        }
        if let Some(n) = self.n {
            body["n"] = n.into();
        }
        if let Some(calls) = self.tool_calls {
            body["max_tool_calls"] = calls.into();
        }
        if self.stored.is_some() {
            body["conversation"] = "conv_1".into();
        }
        if self.compacts {
            body["context_management"] = match self.api {
                Api::Responses => json!([{"type": "compaction", "compact_threshold": 1000}]),
                _ => json!({"edits": [{"type": "compact_20260112"}]}),
            };
        }
        if self.thinks {
            match self.api {
                Api::Chat => body["reasoning_effort"] = "high".into(),
                Api::Responses => body["reasoning"] = json!({"effort": "high"}),
                _ => body["thinking"] = json!({"type": "enabled", "budget_tokens": 5000}),
            }
        }
        body
    }

    fn parts(&self) -> Vec<Value> {
        let address = |at: usize| format!("https://files.example.com/{at}");
        let (word, mut parts) = match self.api {
            Api::Responses => ("input_text", Vec::new()),
            _ => ("text", Vec::new()),
        };
        parts.push(json!({"type": word, "text": self.text}));
        for at in 0..self.remote.len() {
            parts.push(match self.api {
                Api::Chat => json!({"type": "image_url", "image_url": {"url": address(at)}}),
                Api::Responses => json!({"type": "input_file", "file_url": address(at)}),
                _ => json!({"type": "document", "source": {"type": "url", "url": address(at)}}),
            });
        }
        for _ in &self.documents {
            parts.push(match self.api {
                Api::Chat => json!({"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}}),
                Api::Responses => json!({"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}),
                _ => json!({"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}}),
            });
        }
        for _ in 0..self.pictures {
            parts.push(match self.api {
                Api::Chat => json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}),
                Api::Responses => json!({"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo="}),
                _ => json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}),
            });
        }
        parts
    }

    fn tools(&self) -> Vec<Value> {
        let mut tools: Vec<Value> = Vec::new();
        for at in 0..self.own_tools {
            tools.push(match (self.api, at) {
                (Api::Messages, 0) => json!({"type": "bash_20250124", "name": "bash"}),
                (Api::Messages, 1) => json!({"type": "text_editor_20250728", "name": "e"}),
                (Api::Messages, _) => json!({"name": "f", "input_schema": {"type": "object"}}),
                (Api::Responses, 0) => json!({"type": "apply_patch"}),
                (Api::Responses, _) => json!({"type": "function", "name": "f", "parameters": {}}),
                _ => json!({"type": "function", "function": {"name": "f"}}),
            });
        }
        for hosted in &self.hosted {
            let mut tool = json!({"type": hosted.word});
            if let Some(uses) = hosted.uses {
                tool["max_uses"] = uses.into();
            }
            tools.push(tool);
        }
        tools
    }
}

/// What providers say of themselves: the most tokens a model takes in, and says.
fn sizes(model: &str, long: bool) -> (u64, u64) {
    match model {
        "claude-haiku-4-5" if long => (1_000_000, 64_000),
        "claude-haiku-4-5" => (200_000, 64_000),
        "claude-sonnet-4-6" => (1_000_000, 64_000),
        claude if claude.starts_with("claude-") => (1_000_000, 128_000),
        "gpt-4o-mini" => (128_000, 16_384),
        "gpt-4.1" => (1_047_576, 32_768),
        "gpt-5-mini" | "gpt-5.4-mini" => (272_000, 128_000),
        gpt if gpt.starts_with("gpt-") => (1_050_000, 128_000),
        gemini if gemini.starts_with("gemini-") => (1_048_576, 65_536),
        "mistral-large" | "mistral-medium" | "mistral-small" => (262_144, 262_144),
        "mistral-large-4" => (1_048_576, 1_048_576),
        "nova-2-lite" => (1_000_000, 64_000),
        "nova-pro" => (300_000, 10_000),
        other => panic!("{other}: nobody knows its sizes"),
    }
}

/// The limit that the provider is told, in any dialect's words.
fn limit_in(sent: &str) -> Option<u64> {
    let sent: Value = serde_json::from_str(sent).unwrap();
    let names = [
        "/max_tokens",
        "/max_completion_tokens",
        "/max_output_tokens",
        "/generationConfig/maxOutputTokens",
        "/inferenceConfig/maxTokens",
    ];
    names
        .iter()
        .filter_map(|name| sent.pointer(name)?.as_u64())
        .max()
}

/// Where a request is billed, and by what.
pub struct Seller<'a> {
    pub model: &'a str,
    pub uplift: u32,
    pub price: &'a Price,
    pub prices: &'a PriceBook,
    pub max_uses: Option<u32>,
}

/// What is billed at worst, in billionths of a dollar.
pub fn bill(body: &Body, sent: &str, seller: &Seller<'_>) -> i128 {
    let Seller {
        model,
        uplift,
        price,
        prices,
        max_uses,
    } = *seller;
    let (context, longest) = sizes(model, body.long);
    let picture = if model == "gpt-4o-mini" {
        48_169
    } else {
        5_000
    };
    // Anthropic's pages on tool use say what it adds for tools: 346 for any, 245 for
    // bash, 700 for the editor. Others are as long as what is said of them.
    let own = [245, 700, 60, 60];
    let own = match body.api {
        Api::Messages => own,
        _ => [300, 60, 60, 60],
    };
    let mut said_by_us = 12 + own.iter().take(body.own_tools).sum::<u64>();
    if body.own_tools + body.hosted.len() > 0 {
        said_by_us += 346;
    }
    let held = body.text.len() as u64 + said_by_us + body.pictures as u64 * picture;
    let beyond: u64 = body.remote.iter().sum::<u64>()
        + body.stored.unwrap_or(0)
        + body.documents.iter().sum::<u64>() * 3_000;
    let of_kind = |kind: &str| {
        let own = body.hosted.iter().filter(|tool| tool.kind == kind);
        let uses: Option<Vec<u64>> = own.map(|tool| tool.uses).collect();
        uses.map(|uses| uses.iter().sum::<u64>())
    };
    let mut kinds: Vec<&str> = body.hosted.iter().map(|tool| tool.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let (mut times, mut cost) = (0_u64, 0_i128);
    for kind in kinds {
        let known = [of_kind(kind), body.tool_calls, max_uses.map(u64::from)];
        let runs = known.into_iter().flatten().min().unwrap();
        times += runs;
        let dear = prices
            .per_use(model, kind)
            .map_or(0, |price| i128::from(price.0));
        cost += i128::from(runs) * dear;
    }
    let times = 1 + times.min(body.tool_calls.unwrap_or(u64::MAX));
    let told = limit_in(sent).unwrap_or(u64::MAX).min(longest);
    let output = times * told * body.n.unwrap_or(1);
    // Each run's result is read with everything before it, and fills the context.
    let first = (held + beyond).min(context);
    let mut input = first + (times - 1) * context;
    let mut output = output;
    if body.compacts {
        // The whole is read once more, and its summary written.
        input += context.min(held + beyond + told);
        output += told;
    }
    let price = price.for_input(input);
    let dearest = |list: i64, others: &[Option<meridian::units::NanoUsd>]| {
        let others = others.iter().flatten().map(|price| price.0);
        i128::from(others.fold(list, i64::max))
    };
    let into = dearest(
        price.input.0,
        &[
            price.cache_write_5m,
            price.cache_write_1h,
            price.audio_input,
        ],
    );
    let out = dearest(price.output.0, &[price.audio_output]);
    let tokens = i128::from(input) * into + i128::from(output) * out;
    (tokens / 1_000_000 + cost) * (100 + i128::from(uplift)) / 100
}
