-- How often tools ran at the provider, by kind, as a JSON object; empty where none did.
ALTER TABLE usage ADD COLUMN counts TEXT NOT NULL DEFAULT '';
-- Numbers of a call's usage that nobody knows, by their fields' names, with commas between: it
-- cost at least so much.
ALTER TABLE usage ADD COLUMN at_least TEXT NOT NULL DEFAULT '';
-- How many calls of the hour have such numbers.
ALTER TABLE usage_by_hour ADD COLUMN at_least INTEGER NOT NULL DEFAULT 0;
