//! Messages to the webhooks of budgets: a part of the budget is spent.

use super::{Effect, Hook, Host, Object, SOON_MS};
use crate::ledger::Crossed;
use crate::units::Millis;
use serde_json::json;

/// How often a message is sent, over some ten minutes: each pause doubles the one
/// before.
const MOST_TRIES: u32 = 8;
const FIRST_PAUSE_MS: u64 = 5_000;

impl<H: Host> Object<H> {
    /// Stores the message about a step that a budget has reached, if it has a webhook.
    pub(super) fn keep_webhook(&mut self, crossed: &Crossed) -> Result<(), H::Error> {
        let applied = &crossed.applied;
        let Some(url) = &applied.webhook else {
            return Ok(());
        };
        let amount = |nano| applied.measure.show(nano);
        let text = format!(
            "{} % of the budget `{}` are spent: {} of {}.",
            crossed.percent,
            applied.limit,
            amount(crossed.spent),
            amount(applied.cap)
        );
        let body = json!({
            "text": text,
            "limit": applied.limit,
            "whom": applied.whom,
            "percent": crossed.percent,
            "spent_nano": crossed.spent,
            "budget_nano": applied.cap,
            "began": applied.window.start.rfc3339(),
            "resets": applied.window.end.map(|end| end.rfc3339()),
        });
        self.host.keep_hook(url, &body.to_string())
    }

    /// Sends the messages that are due.
    pub(super) fn send_webhooks(&mut self, now: Millis) -> Result<Vec<Effect>, H::Error> {
        if self.webhooks_at.is_some_and(|at| at > now) {
            return Ok(Vec::new());
        }
        self.webhooks_at = None;
        let hooks = self.host.hooks()?.into_iter();
        Ok(hooks.map(Effect::SendWebhook).collect())
    }

    /// A message was taken, or is sent again after a pause.
    pub(super) fn webhook_sent(
        &mut self,
        now: Millis,
        hook: &Hook,
        taken: bool,
    ) -> Result<Vec<Effect>, H::Error> {
        self.host.tried_hook(hook.id, taken, MOST_TRIES)?;
        if taken {
            return Ok(Vec::new());
        }
        let pause = FIRST_PAUSE_MS << hook.tries.min(MOST_TRIES);
        let at = Millis(now.0.saturating_add(pause));
        self.webhooks_at = Some(self.webhooks_at.map_or(at, |before| before.min(at)));
        let tries = hook.tries.saturating_add(1);
        let warning = format!("the webhook of a budget refused a message, try {tries}");
        let mut effects = vec![Effect::Warn(warning)];
        effects.extend(self.alarm_within(now, pause.max(SOON_MS)));
        Ok(effects)
    }
}
