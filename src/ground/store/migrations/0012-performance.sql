-- Performance and demand: response times as they were measured, forecasts, what is not counted, monthly reports.

-- Response times of one channel within one hour, as a door kept them at one time; groups of a past day are joined. One
-- sample has 13 octets: milliseconds from the hour to its receipt and from there to its sending, the Party, and what
-- became of it (each but the last in 32 bits, big-endian).
CREATE TABLE response_group (
  -- The door's run, and which group of it: kept again after an answer that was lost, it is not a second one.
  source text NOT NULL,
  number integer NOT NULL,
  channel smallint NOT NULL,
  hour timestamptz NOT NULL,
  -- The earliest receipt, and the latest sending.
  first_at timestamptz NOT NULL,
  last_at timestamptz NOT NULL,
  measured integer NOT NULL CHECK (measured >= 0),
  within integer NOT NULL CHECK (within BETWEEN 0 AND measured),
  samples bytea NOT NULL CHECK (octet_length(samples) > 0 AND octet_length(samples) % 13 = 0),
  PRIMARY KEY (source, number)
);

CREATE INDEX response_group_hour ON response_group (hour, channel);

-- Each that missed its target, with why.
CREATE TABLE response_breach (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  channel smallint NOT NULL,
  -- None where a test key asked.
  party integer,
  received_at timestamptz NOT NULL,
  sent_at timestamptz NOT NULL,
  cause text NOT NULL
);

CREATE INDEX response_breach_at ON response_breach (received_at);

-- CSRs for Device Certificates that came singly, accepted or not, by the hour in which they arrived. Those of batches
-- stand in the table `batch`.
CREATE TABLE demand (
  party integer NOT NULL,
  channel smallint NOT NULL,
  hour timestamptz NOT NULL,
  csrs bigint NOT NULL CHECK (csrs > 0),
  PRIMARY KEY (hour, party, channel)
);

-- What each Authorised Subscriber expects to send. A later forecast takes nothing away from an earlier one.
CREATE TABLE forecast (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  party integer NOT NULL,
  submitted_at timestamptz NOT NULL,
  submitted_by text NOT NULL
);

CREATE INDEX forecast_of_party ON forecast (party, submitted_at);

CREATE TABLE forecast_month (
  forecast integer NOT NULL REFERENCES forecast,
  month text NOT NULL CHECK (month ~ '^\d{4}-(0[1-9]|1[0-2])$'),
  single bigint NOT NULL CHECK (single >= 0),
  batch bigint NOT NULL CHECK (batch >= 0),
  PRIMARY KEY (forecast, month)
);

-- Who was reminded of, or flagged for, the forecast of which round (`2026-12`).
CREATE TABLE forecast_flag (
  party integer NOT NULL,
  round text NOT NULL,
  flag text NOT NULL CHECK (flag IN ('reminded', 'missing', 'late')),
  at timestamptz NOT NULL,
  PRIMARY KEY (party, round, flag)
);

-- Times in which response times are not counted. Withdrawn, never removed.
CREATE TABLE exclusion (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('planned maintenance', 'emergency suspension')),
  begins timestamptz NOT NULL,
  ends timestamptz NOT NULL CHECK (ends > begins),
  -- What it rests on: the notice of the maintenance, or the direction of the SMKI PMA.
  reference text NOT NULL CHECK (reference <> ''),
  recorded_at timestamptz NOT NULL,
  recorded_by text NOT NULL,
  withdrawn_at timestamptz,
  withdrawn_by text,
  CHECK ((withdrawn_at IS NULL) = (withdrawn_by IS NULL))
);

-- Monthly reports, octet for octet as they were made: JSON, whose SHA-256 stands in the journal.
CREATE TABLE performance_report (
  month text NOT NULL CHECK (month ~ '^\d{4}-(0[1-9]|1[0-2])$'),
  -- `SEC Panel`, or `party 3`.
  recipient text NOT NULL,
  -- From 1; a later one corrects.
  version integer NOT NULL CHECK (version > 0),
  made_at timestamptz NOT NULL,
  content text NOT NULL,
  PRIMARY KEY (month, recipient, version)
);
