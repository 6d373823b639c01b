-- What a call asked a provider to do beyond answering it, by kind, with commas
-- between: allowed where the call was not refused.
ALTER TABLE usage ADD COLUMN egress TEXT NOT NULL DEFAULT '';
