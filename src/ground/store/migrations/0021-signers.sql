-- Several signer processes on one store.

-- Each process that signs, once for each time it was started; it holds an advisory lock of this number as long as it lives.
CREATE TABLE signer (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- 1 is the lead: it does what only one may do.
  number smallint NOT NULL CHECK (number > 0),
  started_at timestamptz NOT NULL,
  seen_at timestamptz NOT NULL,
  -- Found to have ended: what it had in hand went to others.
  gone_at timestamptz,
  -- Authorities that sign no more, and of which it holds nothing.
  given_up smallint[] NOT NULL DEFAULT '{}'
);

-- The process that wrote it down; none for what people's programs sign, and for what is older than this column.
ALTER TABLE signing ADD COLUMN signer integer;

-- Which Party was served least recently, over all its batches.
CREATE INDEX batch_served ON batch (party, turn);
