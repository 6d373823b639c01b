-- What a decision was made from beside the country, so that it can be made
-- again by another map, and the signed receipt of it.
ALTER TABLE usage ADD COLUMN key_zone TEXT;
ALTER TABLE usage ADD COLUMN zone_asked TEXT;
ALTER TABLE usage ADD COLUMN receipt TEXT;
