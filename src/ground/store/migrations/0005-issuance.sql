-- Issuance: batches on their way, and what the web services must remember.

CREATE SEQUENCE batch_id;

CREATE TABLE batch (
  id bigint PRIMARY KEY,
  party integer NOT NULL,
  -- The ID that the Party gave, echoed as it came.
  reference text NOT NULL,
  state text NOT NULL CHECK (state IN
    ('PENDING', 'REJECTED', 'PARSING', 'TAMPERED', 'QUEUED', 'PROCESSING', 'PAUSED', 'COMPLETED')),
  received_at timestamptz NOT NULL,
  sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
  octets bigint NOT NULL,
  count integer NOT NULL,
  decided_by text,
  decided_at timestamptz,
  reason text,
  queued_at timestamptz,
  completed_at timestamptz,
  -- When one of its portions was taken last: batches take turns.
  turn bigint NOT NULL DEFAULT 0
);

CREATE INDEX batch_open ON batch (id) WHERE state NOT IN ('REJECTED', 'TAMPERED', 'COMPLETED');
CREATE SEQUENCE batch_turn;

-- The upload, octet for octet. Parts come before their batch is accepted; those of an upload that broke off are
-- removed by the door that took them, or by age.
CREATE TABLE batch_part (
  batch bigint NOT NULL,
  number integer NOT NULL,
  octets bytea NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (batch, number)
);

ALTER TABLE batch_part ALTER COLUMN octets SET STORAGE EXTERNAL;

-- Some hundred requests of a batch, which are decided, written down, signed and kept together.
CREATE TABLE portion (
  batch bigint NOT NULL REFERENCES batch ON DELETE CASCADE,
  number integer NOT NULL,
  count integer NOT NULL,
  items bytea NOT NULL,
  state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'taken', 'done')),
  -- Who has taken it, until when; afterwards anybody may.
  worker text,
  lease_until timestamptz,
  attempts integer NOT NULL DEFAULT 0,
  -- The signing that its certificates stand in; none when no request led to one.
  signing bigint,
  -- One row for each request, in order: [id, position] or [id, code, text].
  results json,
  PRIMARY KEY (batch, number)
);

ALTER TABLE portion ALTER COLUMN items SET STORAGE EXTERNAL;
CREATE INDEX portion_open ON portion (batch, number) WHERE state <> 'done';

-- Device IDs with another threshold than the configured one (APPM: the RA changes it after a Service Desk contact).
CREATE TABLE device_threshold (
  eui64 bytea PRIMARY KEY CHECK (octet_length(eui64) = 8),
  threshold integer NOT NULL CHECK (threshold > 0),
  set_by text NOT NULL,
  set_at timestamptz NOT NULL
);

-- Transaction IDs of the Ad Hoc Device CSR Web Service, handed out by the hundred.
CREATE SEQUENCE adhoc_transaction INCREMENT BY 100;
