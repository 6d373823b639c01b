-- A draft and the map that it proposes are for good what they were when they were
-- made: whoever approves a draft approves what was proposed under its name. A draft
-- is only decided, once.
CREATE TRIGGER maps_are_not_altered BEFORE UPDATE ON maps
BEGIN SELECT RAISE(ABORT, 'the content of a map never changes'); END;

CREATE TRIGGER maps_are_not_deleted BEFORE DELETE ON maps
BEGIN SELECT RAISE(ABORT, 'the content of a map never changes'); END;

-- What replaces a row deletes it without a trigger.
CREATE TRIGGER maps_are_not_replaced BEFORE INSERT ON maps
WHEN EXISTS (SELECT 1 FROM maps WHERE version = NEW.version AND map <> NEW.map)
BEGIN SELECT RAISE(ABORT, 'the content of a map never changes'); END;

CREATE TRIGGER drafts_are_only_decided BEFORE UPDATE ON drafts
WHEN OLD.state <> 'open' OR NEW.state = 'open'
  OR NEW.id <> OLD.id OR NEW.at <> OLD.at OR NEW.author <> OLD.author
  OR NEW.why <> OLD.why OR NEW.base <> OLD.base OR NEW.version <> OLD.version
BEGIN SELECT RAISE(ABORT, 'a draft is only decided, once'); END;

CREATE TRIGGER drafts_are_not_deleted BEFORE DELETE ON drafts
BEGIN SELECT RAISE(ABORT, 'a draft is only decided, once'); END;

CREATE TRIGGER drafts_are_not_replaced BEFORE INSERT ON drafts
WHEN EXISTS (SELECT 1 FROM drafts WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'a draft is only decided, once'); END;
