-- The template that this one has turned out to be, or that people take it for; 0 when it is still itself.
ALTER TABLE templates ADD COLUMN IF NOT EXISTS became UInt64 DEFAULT 0;
