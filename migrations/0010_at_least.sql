-- Which numbers of usage nobody knew, of the newest calls that have such.
CREATE INDEX usage_at_least ON usage (at) WHERE at_least <> '';
