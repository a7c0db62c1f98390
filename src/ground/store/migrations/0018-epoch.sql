-- A store that was restored to an earlier moment goes on in a new epoch: what it must not give again (docs/operations/backup.md).

-- The first epoch has no row. Each later one was begun by an operator who was told what is missing.
CREATE TABLE store_epoch (
  number integer PRIMARY KEY CHECK (number > 1),
  began_at timestamptz NOT NULL,
  -- A reference, as everywhere.
  begun_by text NOT NULL,
  words text NOT NULL,
  -- The name of the journal's log from then on: what was signed under the name before is never contradicted under it.
  log text NOT NULL UNIQUE
);

-- Up to here an authority's list numbers were used in an epoch that is lost: the next list goes on above.
CREATE TABLE list_skipped (
  authority smallint NOT NULL,
  epoch integer NOT NULL REFERENCES store_epoch (number),
  number bigint NOT NULL CHECK (number > 0),
  PRIMARY KEY (authority, epoch)
);
