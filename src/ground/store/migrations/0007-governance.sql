-- Governance: what the SMKI PMA decided, the documents of the Code, how they came about, modifications, reviews.

-- One decision or direction. It is written once; what changes is how often it was cited, and that it was withdrawn.
CREATE TABLE pma_decision (
  reference text PRIMARY KEY,
  acts text[] NOT NULL CHECK (cardinality(acts) > 0),
  -- What it covers, exact; '*' is everything.
  subjects text[] NOT NULL CHECK (cardinality(subjects) > 0),
  meeting text NOT NULL,
  words text NOT NULL,
  -- References of people.
  members text[] NOT NULL CHECK (cardinality(members) > 0),
  decided_at timestamptz NOT NULL,
  in_force_from timestamptz NOT NULL,
  -- The first instant at which it is in force no more.
  in_force_until timestamptz CHECK (in_force_until > in_force_from),
  most_uses integer CHECK (most_uses > 0),
  details jsonb,
  recorded_at timestamptz NOT NULL,
  recorded_by text NOT NULL,
  uses integer NOT NULL DEFAULT 0 CHECK (uses >= 0 AND uses <= most_uses),
  withdrawn_at timestamptz,
  withdrawn_by text,
  withdrawn_words text,
  CHECK (num_nulls(withdrawn_at, withdrawn_by, withdrawn_words) IN (0, 3))
);

CREATE INDEX pma_decision_acts ON pma_decision USING gin (acts);

-- A decision is never edited, whoever asks: the program has no such statement, and the table would refuse it.
CREATE FUNCTION pma_decision_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.withdrawn_at IS NULL AND NEW.uses >= OLD.uses AND
     to_jsonb(NEW) - '{uses,withdrawn_at,withdrawn_by,withdrawn_words}'::text[] =
     to_jsonb(OLD) - '{uses,withdrawn_at,withdrawn_by,withdrawn_words}'::text[]
  THEN RETURN NEW; END IF;
  RAISE EXCEPTION 'a decision is never edited or removed, only withdrawn';
END $$;

CREATE TRIGGER pma_decision_stands BEFORE UPDATE OR DELETE ON pma_decision
  FOR EACH ROW EXECUTE FUNCTION pma_decision_stands();

-- The documents of the Code that concern keys. A document is its reference; what it says stands in its versions.
CREATE TABLE document (
  ref text PRIMARY KEY,
  title text NOT NULL,
  kind text NOT NULL,
  sets text[] NOT NULL CHECK (cardinality(sets) > 0),
  owner text NOT NULL,
  approver text NOT NULL,
  -- Never opened again: a reader outside would have what was promised to nobody outside.
  confidential boolean NOT NULL,
  review_months smallint CHECK (review_months > 0),
  entered_at timestamptz NOT NULL
);

CREATE TABLE document_version (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  document text NOT NULL REFERENCES document,
  version text NOT NULL,
  sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
  octets bigint NOT NULL CHECK (octets > 0),
  media_type text NOT NULL,
  -- Where its octets lie: a reference of the repository or of an archive.
  held_at text NOT NULL,
  state text NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'approved', 'not rejected', 'rejected')),
  entered_at timestamptz NOT NULL,
  decided_at timestamptz,
  -- The decision of the SMKI PMA; or, where another body approves, its direction, designation or modification.
  decision text REFERENCES pma_decision,
  basis text,
  -- Amendments that the SMKI PMA directed with it.
  amendments text NOT NULL DEFAULT '',
  -- The journal has SHA-256(salt, amendments): they may quote what is confidential.
  salt bytea CHECK (octet_length(salt) = 32),
  -- Days in London; the second is the first on which it is in force no more.
  effective_from date,
  effective_until date CHECK (effective_until > effective_from),
  UNIQUE (document, version),
  UNIQUE (document, sha256),
  CHECK ((state = 'draft') = (decided_at IS NULL)),
  CHECK ((state = 'draft') = (num_nonnulls(decision, basis) = 0)),
  CHECK ((state IN ('approved', 'not rejected')) = (effective_from IS NOT NULL))
);

-- What is reviewed from time to time: documents, and the risk of symmetric keys (every five years).
CREATE TABLE review_subject (
  subject text PRIMARY KEY,
  every_months smallint NOT NULL CHECK (every_months > 0),
  -- The day from which the first period counts.
  starts_on date NOT NULL,
  entered_at timestamptz NOT NULL,
  CHECK (subject NOT LIKE 'risk:%' OR every_months <= 60)
);

CREATE TABLE review (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  subject text NOT NULL REFERENCES review_subject,
  reviewed_on date NOT NULL,
  words text NOT NULL,
  evidence text[] NOT NULL CHECK (cardinality(evidence) > 0),
  decision text REFERENCES pma_decision,
  at timestamptz NOT NULL
);

CREATE INDEX review_of_subject ON review (subject, reviewed_on);

-- How a document came about (L14.8 and alike), and modifications of the Code: what happened, in the order of entry. What
-- they have come to is told by these rows alone.
CREATE TABLE development (
  ref text PRIMARY KEY,
  begun_at timestamptz NOT NULL
);

CREATE TABLE development_event (
  development text NOT NULL REFERENCES development,
  number integer NOT NULL CHECK (number > 0),
  -- JSON text, as it was written: the journal has SHA-256(salt, event), which without the salt says nothing.
  event text NOT NULL,
  salt bytea NOT NULL CHECK (octet_length(salt) = 32),
  entered_at timestamptz NOT NULL,
  entered_by text NOT NULL,
  PRIMARY KEY (development, number)
);

CREATE TABLE modification (
  ref text PRIMARY KEY,
  begun_at timestamptz NOT NULL
);

CREATE TABLE modification_event (
  modification text NOT NULL REFERENCES modification,
  number integer NOT NULL CHECK (number > 0),
  -- JSON text, as it was written: the journal has SHA-256(salt, event), which without the salt says nothing.
  event text NOT NULL,
  salt bytea NOT NULL CHECK (octet_length(salt) = 32),
  entered_at timestamptz NOT NULL,
  entered_by text NOT NULL,
  PRIMARY KEY (modification, number)
);
