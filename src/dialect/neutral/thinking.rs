//! How much a model is to think, in words or in tokens.

/// How much the model is to think before it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Thinking {
    /// How much.
    pub budget: Budget,
    /// The effort, if it is given beside the budget.
    pub effort: Option<Effort>,
    /// Whether thinking is to be shown, if that is given.
    pub show: Option<bool>,
}

/// How much thinking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Budget {
    /// As the model's default is.
    #[default]
    Unsaid,
    /// None.
    Off,
    /// As much as the model likes.
    Adaptive,
    /// This many tokens.
    Tokens(u64),
}

/// How hard to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effort {
    /// Hardly.
    Minimal,
    /// Little.
    Low,
    /// Some.
    Medium,
    /// Much.
    High,
    /// More.
    XHigh,
    /// As much as there is.
    Max,
}

impl Effort {
    /// As the dialects write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Effort::Minimal => "minimal",
            Effort::Low => "low",
            Effort::Medium => "medium",
            Effort::High => "high",
            Effort::XHigh => "xhigh",
            Effort::Max => "max",
        }
    }

    /// Reads it.
    pub fn read(word: &str) -> Option<Effort> {
        use Effort::{High, Low, Max, Medium, Minimal, XHigh};
        let all = [Minimal, Low, Medium, High, XHigh, Max];
        all.into_iter().find(|effort| effort.as_str() == word)
    }

    /// The tokens that come near to it, for models that count them.
    pub fn tokens(self) -> u64 {
        match self {
            Effort::Minimal | Effort::Low => 1_024,
            Effort::Medium => 4_096,
            Effort::High => 16_384,
            Effort::XHigh | Effort::Max => 24_576,
        }
    }

    /// What comes near to so many tokens.
    pub fn of_tokens(tokens: u64) -> Effort {
        match tokens {
            ..2_500 => Effort::Low,
            2_500..10_000 => Effort::Medium,
            _ => Effort::High,
        }
    }
}

impl Thinking {
    /// The effort, from budget or effort; `None` leaves it to the model.
    pub fn hardness(&self) -> Option<Effort> {
        self.effort.or(match self.budget {
            Budget::Tokens(tokens) => Some(Effort::of_tokens(tokens)),
            _ => None,
        })
    }

    /// Whether it is wanted at all.
    pub fn is_on(&self) -> bool {
        self.budget != Budget::Off && (self.budget != Budget::Unsaid || self.effort.is_some())
    }
}
