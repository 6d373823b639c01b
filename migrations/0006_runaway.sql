-- What kind of loop a call seemed to be part of: 'growth', each with the one before in
-- it, or 'repeats'.
ALTER TABLE usage ADD COLUMN runaway TEXT;
