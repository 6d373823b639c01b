//! Bodies that try to be more work than their length: one shape each, as long
//! as is wanted.

use meridian::dialect::Api;

/// A shape by its name, and what it repeats.
pub struct Shape {
    /// What it is called.
    pub name: &'static str,
    /// Makes a body of about so many bytes.
    pub body: fn(Api, usize) -> String,
}

/// Repeats a piece until there are so many bytes; the piece is told its number.
fn many(size: usize, piece: impl Fn(usize) -> String) -> String {
    let mut all = String::with_capacity(size + 1_024);
    for at in 0.. {
        if all.len() >= size {
            break;
        }
        if at > 0 {
            all.push(',');
        }
        all.push_str(&piece(at));
    }
    all
}

/// A request around a conversation and further fields.
fn around(api: Api, talk: &str, rest: &str) -> String {
    let (list, limit) = match api {
        Api::Responses => ("input", ""),
        Api::Completions => return format!(r#"{{"model":"m","prompt":["a"]{rest}}}"#),
        Api::Embeddings => return format!(r#"{{"model":"m","input":["a"]{rest}}}"#),
        Api::Messages => ("messages", r#","max_tokens":9"#),
        _ => ("messages", ""),
    };
    format!(r#"{{"model":"m"{limit},"{list}":[{talk}]{rest}}}"#)
}

const HELLO: &str = r#"{"role":"user","content":"Hello"}"#;

/// One message of parts.
fn parts(api: Api, parts: &str) -> String {
    around(
        api,
        &format!(r#"{{"role":"user","content":[{parts}]}}"#),
        "",
    )
}

fn text_part(api: Api, text: &str) -> String {
    let kind = if api == Api::Responses {
        "input_text"
    } else {
        "text"
    };
    format!(r#"{{"type":"{kind}","text":"{text}"}}"#)
}

fn long(api: Api, piece: &str, size: usize) -> String {
    let text = piece.repeat(size / piece.len() + 1);
    around(api, &format!(r#"{{"role":"user","content":"{text}"}}"#), "")
}

fn calls(api: Api, size: usize) -> String {
    let talk = many(size, |at| match api {
        Api::Chat => format!(
            r#"{{"role":"assistant","content":null,"tool_calls":[{{"id":"c{at}","type":"function","function":{{"name":"f","arguments":"{{\"a\":[1,2,{at}]}}"}}}}]}},{{"role":"tool","tool_call_id":"c{at}","content":"ok"}}"#
        ),
        Api::Responses => format!(
            r#"{{"type":"function_call","call_id":"c{at}","name":"f","arguments":"{{}}"}},{{"type":"function_call_output","call_id":"c{at}","output":"ok"}}"#
        ),
        _ => format!(
            r#"{{"role":"assistant","content":[{{"type":"tool_use","id":"c{at}","name":"f","input":{{"a":[1,2,{at}]}}}}]}},{{"role":"user","content":[{{"type":"tool_result","tool_use_id":"c{at}","content":"ok"}}]}}"#
        ),
    });
    around(api, &talk, "")
}

fn results(api: Api, size: usize) -> String {
    let (before, after) = match api {
        Api::Messages => (r#"{"role":"user","content":["#, "]}"),
        _ => ("", ""),
    };
    let talk = many(size, |at| match api {
        Api::Chat => format!(r#"{{"role":"tool","tool_call_id":"c{at}","content":"ok"}}"#),
        Api::Responses => {
            format!(r#"{{"type":"function_call_output","call_id":"c{at}","output":"ok"}}"#)
        }
        _ => format!(r#"{{"type":"tool_result","tool_use_id":"c{at}","content":"ok"}}"#),
    });
    around(api, &format!("{before}{talk}{after}"), "")
}

fn tools(api: Api, size: usize, deep: &str) -> String {
    let schema = format!(r#"{{"type":"object","properties":{{"a":{deep}}}}}"#);
    let all = many(size, |at| match api {
        Api::Chat => {
            format!(r#"{{"type":"function","function":{{"name":"f{at}","parameters":{schema}}}}}"#)
        }
        Api::Responses => format!(r#"{{"type":"function","name":"f{at}","parameters":{schema}}}"#),
        _ => format!(r#"{{"name":"f{at}","input_schema":{schema}}}"#),
    });
    around(api, HELLO, &format!(r#","tools":[{all}]"#))
}

fn thoughts(api: Api, size: usize) -> String {
    let talk = many(size, |at| match api {
        Api::Responses => format!(
            r#"{{"type":"reasoning","id":"r{at}","summary":[],"encrypted_content":"e{at}"}}"#
        ),
        Api::Chat => format!(
            r#"{{"role":"assistant","content":"a","reasoning_details":[{{"type":"reasoning.text","text":"t","signature":"s{at}"}}]}}"#
        ),
        _ => format!(
            r#"{{"role":"assistant","content":[{{"type":"thinking","thinking":"t","signature":"s{at}"}}]}}"#
        ),
    });
    around(api, &talk, "")
}

fn deep(api: Api, size: usize, unit: (&str, &str), levels: usize) -> String {
    let one = format!("{}0{}", unit.0.repeat(levels), unit.1.repeat(levels));
    let all = many(size, |_| one.clone());
    around(api, HELLO, &format!(r#","x":[{all}]"#))
}

/// Arguments in arguments, as deep as egress lets them pass, around a long text.
fn arguments(api: Api, size: usize) -> String {
    const LEVELS: usize = 60;
    let (open, close) = (r#"{"input":["#.repeat(LEVELS), "]}".repeat(LEVELS));
    let input = format!(r#"[{open}"{}"{close}]"#, "x".repeat(size));
    let kind = r#""type":"tool_use","id":"c","name":"f""#;
    let call = format!(r#"{{"role":"assistant","content":[{{{kind},"input":{input}}}]}}"#);
    around(api, &call, "")
}

/// A form of the answer with a description, which goes into its schema at some.
fn form(api: Api, size: usize) -> String {
    let schema = format!(r#"{{"enum":[{}]}}"#, many(size, |_| "0".to_owned()));
    let form = format!(r#""name":"n","description":"d","schema":{schema}"#);
    let rest = match api {
        Api::Responses => format!(r#","text":{{"format":{{"type":"json_schema",{form}}}}}"#),
        _ => format!(r#","response_format":{{"type":"json_schema","json_schema":{{{form}}}}}"#),
    };
    around(api, HELLO, &rest)
}

/// All of them.
pub const SHAPES: &[Shape] = &[
    Shape {
        name: "arguments in arguments",
        body: arguments,
    },
    Shape {
        name: "a described form",
        body: form,
    },
    Shape {
        name: "plain text",
        body: |api, size| long(api, "The quick brown fox jumps. ", size),
    },
    Shape {
        name: "many keys",
        body: |api, size| {
            around(
                api,
                HELLO,
                &format!(",{}", many(size, |at| format!(r#""k{at}":0"#))),
            )
        },
    },
    Shape {
        name: "many tools and a long choice",
        body: |api, size| {
            let tools = many(size / 2, |at| format!(r#"{{"type":"t{at}"}}"#));
            let words = many(size / 2, |at| format!(r#""w{at}""#));
            let more = format!(r#","tools":[{tools}],"tool_choice":[{words}]"#);
            around(api, HELLO, &more)
        },
    },
    Shape {
        name: "many keys inside",
        body: |api, size| {
            around(
                api,
                HELLO,
                &format!(
                    r#","metadata":{{{}}}"#,
                    many(size, |at| format!(r#""k{at}":"v""#))
                ),
            )
        },
    },
    Shape {
        name: "many keys alike",
        body: |api, size| {
            let same = "k".repeat(200);
            around(
                api,
                HELLO,
                &format!(",{}", many(size, |at| format!(r#""{same}{at}":0"#))),
            )
        },
    },
    Shape {
        name: "one key again and again",
        body: |api, size| {
            around(
                api,
                HELLO,
                &format!(",{}", many(size, |_| r#""k":0"#.to_owned())),
            )
        },
    },
    Shape {
        name: "keys of a message",
        body: |api, size| {
            around(
                api,
                &format!(
                    r#"{{"role":"user","content":"x",{}}}"#,
                    many(size, |at| format!(r#""k{at}":0"#))
                ),
                "",
            )
        },
    },
    Shape {
        name: "options of a stream",
        body: |api, size| {
            around(
                api,
                HELLO,
                &format!(
                    r#","stream":true,"stream_options":{{{}}}"#,
                    many(size, |at| format!(r#""k{at}":0"#))
                ),
            )
        },
    },
    Shape {
        name: "zeros",
        body: |api, size| {
            around(
                api,
                HELLO,
                &format!(r#","x":[{}]"#, many(size, |_| "0".to_owned())),
            )
        },
    },
    Shape {
        name: "zeros for input",
        body: |api, size| around(api, &many(size, |_| "0".to_owned()), ""),
    },
    Shape {
        name: "lists of lists",
        body: |api, size| deep(api, size, ("[", "]"), 100),
    },
    Shape {
        name: "objects of objects",
        body: |api, size| deep(api, size, ("{\"a\":", "}"), 100),
    },
    Shape {
        name: "deeper than anything",
        body: |api, size| deep(api, 1, ("[", "]"), size / 2),
    },
    Shape {
        name: "escapes",
        body: |api, size| long(api, "\\n\\\"\\\\", size),
    },
    Shape {
        name: "escaped letters",
        body: |api, size| long(api, "\\u00e9\\ud83d\\ude00", size),
    },
    Shape {
        name: "lone surrogates",
        body: |api, size| long(api, "\\ud800", size),
    },
    Shape {
        name: "escapes in keys",
        body: |api, size| {
            around(
                api,
                HELLO,
                &format!(",{}", many(size, |at| format!(r#""\u006b\"{at}":0"#))),
            )
        },
    },
    Shape {
        name: "one key of escapes",
        body: |api, size| around(api, HELLO, &format!(r#","{}":0"#, "\\\"".repeat(size / 2))),
    },
    Shape {
        name: "small messages",
        body: |api, size| {
            around(
                api,
                &many(size, |_| r#"{"role":"user","content":"x"}"#.to_owned()),
                "",
            )
        },
    },
    Shape {
        name: "messages in turn",
        body: |api, size| {
            around(
                api,
                &many(size, |at| {
                    format!(
                        r#"{{"role":"{}","content":"x"}}"#,
                        if at % 2 == 0 { "user" } else { "assistant" }
                    )
                }),
                "",
            )
        },
    },
    Shape {
        name: "system messages",
        body: |api, size| {
            around(
                api,
                &many(size, |at| {
                    format!(
                        r#"{{"role":"{}","content":"x"}}"#,
                        if at == 0 { "user" } else { "system" }
                    )
                }),
                "",
            )
        },
    },
    Shape {
        name: "small parts",
        body: |api, size| parts(api, &many(size, |_| text_part(api, "x"))),
    },
    Shape {
        name: "parts nobody knows",
        body: |api, size| parts(api, &many(size, |at| format!(r#"{{"type":"odd{at}"}}"#))),
    },
    Shape {
        name: "parts with losses",
        body: |api, size| {
            parts(
                api,
                &many(size, |at| {
                    text_part(api, "x").replace('}', &format!(r#","odd{at}":1}}"#))
                }),
            )
        },
    },
    Shape {
        name: "pictures",
        body: |api, size| {
            parts(
                api,
                &many(size, |_| {
                    match api {
        Api::Chat => r#"{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}"#.to_owned(),
        Api::Responses => r#"{"type":"input_image","image_url":"data:image/png;base64,AAAA"}"#.to_owned(),
        _ => r#"{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}}"#.to_owned(),
    }
                }),
            )
        },
    },
    Shape {
        name: "one picture",
        body: |api, size| {
            let data = "QUJD".repeat(size / 4);
            parts(
                api,
                &match api {
                    Api::Chat => format!(
                        r#"{{"type":"image_url","image_url":{{"url":"data:image/png;base64,{data}"}}}}"#
                    ),
                    Api::Responses => format!(
                        r#"{{"type":"input_image","image_url":"data:image/png;base64,{data}"}}"#
                    ),
                    _ => format!(
                        r#"{{"type":"image","source":{{"type":"base64","media_type":"image/png","data":"{data}"}}}}"#
                    ),
                },
            )
        },
    },
    Shape {
        name: "calls and results",
        body: calls,
    },
    Shape {
        name: "results only",
        body: results,
    },
    Shape {
        name: "small tools",
        body: |api, size| tools(api, size, r#"{"type":"string"}"#),
    },
    Shape {
        name: "tools with long enums",
        body: |api, size| {
            tools(
                api,
                size,
                &format!(r#"{{"enum":[{}]}}"#, vec!["1"; 500].join(",")),
            )
        },
    },
    Shape {
        name: "one schema",
        body: |api, size| {
            tools(
                api,
                1,
                &format!(r#"{{"enum":[{}]}}"#, many(size, |_| "0".to_owned())),
            )
        },
    },
    Shape {
        name: "hosted tools",
        body: |api, size| {
            around(
                api,
                HELLO,
                &format!(
                    r#","tools":[{}]"#,
                    many(size, |at| format!(r#"{{"type":"odd_{at}","name":"n"}}"#))
                ),
            )
        },
    },
    Shape {
        name: "thoughts",
        body: thoughts,
    },
    Shape {
        name: "stop sequences",
        body: |api, size| {
            let name = if api == Api::Messages {
                "stop_sequences"
            } else {
                "stop"
            };
            around(
                api,
                HELLO,
                &format!(r#","{name}":[{}]"#, many(size, |at| format!(r#""s{at}""#))),
            )
        },
    },
    Shape {
        name: "numbers",
        body: |api, size| {
            around(
                api,
                HELLO,
                &format!(r#","x":[{}]"#, many(size, |at| format!("-1.{at}e-7"))),
            )
        },
    },
    Shape {
        name: "one number",
        body: |api, size| {
            around(
                api,
                HELLO,
                &format!(r#","temperature":0.{}"#, "1".repeat(size)),
            )
        },
    },
    Shape {
        name: "spaces",
        body: |api, size| around(api, HELLO, &" ".repeat(size)),
    },
    Shape {
        name: "spaces between",
        body: |api, size| around(api, HELLO, &format!(r#","model2":{}0"#, "\n".repeat(size))),
    },
    Shape {
        name: "addresses",
        body: |api, size| {
            parts(
                api,
                &many(size, |at| match api {
                    Api::Chat => format!(
                        r#"{{"type":"image_url","image_url":{{"url":"https://h{at}.example/"}}}}"#
                    ),
                    Api::Responses => {
                        format!(r#"{{"type":"input_image","image_url":"https://h{at}.example/"}}"#)
                    }
                    _ => format!(
                        r#"{{"type":"image","source":{{"type":"url","url":"https://h{at}.example/"}}}}"#
                    ),
                }),
            )
        },
    },
    Shape {
        name: "types again and again",
        body: |api, size| {
            around(
                api,
                HELLO,
                &format!(
                    r#","tools":[{{{}}}]"#,
                    many(size, |_| r#""type":"mcp""#.to_owned())
                ),
            )
        },
    },
    Shape {
        name: "addresses in one object",
        body: |api, size| {
            parts(
                api,
                &format!(
                    "{{{}}}",
                    many(size, |at| format!(r#""url":"https://h{at}.example/""#))
                ),
            )
        },
    },
    Shape {
        name: "a long path",
        body: |api, size| {
            let key = "p".repeat(size / 2);
            around(
                api,
                HELLO,
                &format!(
                    r#","{key}":{{{}}}"#,
                    many(size / 2, |at| format!(r#""k{at}":{{}}"#))
                ),
            )
        },
    },
    Shape {
        name: "cache marks",
        body: |api, size| {
            parts(
                api,
                &many(size, |_| {
                    text_part(api, "x").replace('}', r#","cache_control":{"type":"ephemeral"}}"#)
                }),
            )
        },
    },
    Shape {
        name: "many texts",
        body: |_, size| {
            format!(
                r#"{{"model":"m","input":[{}]}}"#,
                many(size, |_| r#""x""#.to_owned())
            )
        },
    },
    Shape {
        name: "many prompts",
        body: |_, size| {
            let prompts = many(size, |_| r#""x""#.to_owned());
            format!(r#"{{"model":"m","prompt":[{prompts}]}}"#)
        },
    },
    Shape {
        name: "many tokens",
        body: |_, size| {
            let tokens = many(size, |_| "[1,2]".to_owned());
            format!(r#"{{"model":"m","prompt":[{tokens}]}}"#)
        },
    },
];
