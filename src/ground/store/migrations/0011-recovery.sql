-- Recovery: what was Compromised, what is done about it step by step, and every command that is sent for it.

-- A notified Compromise, or suspicion of one. Whose reference it has is in every file about it.
CREATE TABLE recovery_event (
  reference text PRIMARY KEY CHECK (reference ~ '^[A-Z][A-Z0-9-]{2,31}$'),
  key_kind text NOT NULL CHECK (key_kind IN
    ('organisation', 'root', 'contingency', 'symmetric', 'recovery', 'issuing')),
  -- SHA-256 of the SubjectPublicKeyInfo of the key; of the Symmetric Key, of the pair that it opens.
  key bytea NOT NULL CHECK (octet_length(key) = 32),
  -- Key identifiers of the certificates that are Compromised by it: what a cell is looked at for.
  key_ids bytea[] NOT NULL CHECK (cardinality(key_ids) > 0),
  party integer REFERENCES party,
  suspected_since timestamptz NOT NULL,
  notified_at timestamptz NOT NULL,
  notified_by text NOT NULL,
  asked_for text,
  state text NOT NULL DEFAULT 'notified'
    CHECK (state IN ('notified', 'rejected', 'confirmed', 'running', 'paused', 'closed')),
  confirmed_at timestamptz,
  confirmed_by text CHECK (confirmed_by <> notified_by),
  means text,
  procedure text,
  wave smallint NOT NULL DEFAULT 0,
  -- Commands a minute.
  pace integer NOT NULL CHECK (pace > 0),
  frozen_at timestamptz,
  devices integer,
  devices_digest bytea CHECK (octet_length(devices_digest) = 32),
  closed_at timestamptz,
  CHECK (num_nulls(frozen_at, devices, devices_digest) IN (0, 3))
);

CREATE TABLE recovery_step (
  event text NOT NULL REFERENCES recovery_event,
  number smallint NOT NULL,
  phase text NOT NULL,
  actor text NOT NULL,
  action text NOT NULL,
  done_at timestamptz,
  done_by text,
  words text NOT NULL DEFAULT '',
  PRIMARY KEY (event, number)
);

-- What Key Custodians keep together: the record of its shares, which opens nothing.
CREATE TABLE recovery_custody (
  thing text PRIMARY KEY CHECK (thing IN ('recovery key', 'contingency key', 'symmetric key')),
  -- As canonical text, whose SHA-256 the journal has.
  quorum text NOT NULL,
  since timestamptz NOT NULL
);

-- Who held a share, from when until when. A share has one holder, and a holder one share.
CREATE TABLE recovery_custodian (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  thing text NOT NULL REFERENCES recovery_custody,
  sharing text NOT NULL,
  share smallint NOT NULL CHECK (share > 0),
  person text NOT NULL,
  from_at timestamptz NOT NULL,
  until_at timestamptz
);

CREATE UNIQUE INDEX recovery_custodian_person ON recovery_custodian (thing, person) WHERE until_at IS NULL;
CREATE UNIQUE INDEX recovery_custodian_share ON recovery_custodian (thing, share) WHERE until_at IS NULL;

-- Each time that a key woke: for what, by whom, how often it was used.
CREATE TABLE recovery_ceremony (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  thing text NOT NULL,
  event text REFERENCES recovery_event,
  decision text NOT NULL REFERENCES pma_decision,
  custodians text[] NOT NULL,
  opened_at timestamptz NOT NULL,
  closed_at timestamptz,
  signatures integer,
  refused integer,
  transcript text,
  CHECK (num_nulls(closed_at, signatures, refused, transcript) IN (0, 4))
);

-- A direction of the SMKI PMA, as its decision says it. What was used of it only grows, and never beyond its maximum.
CREATE TABLE recovery_direction (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  event text NOT NULL REFERENCES recovery_event,
  decision text NOT NULL UNIQUE REFERENCES pma_decision,
  kind text NOT NULL,
  key bytea NOT NULL CHECK (octet_length(key) = 32),
  cells text[] NOT NULL CHECK (cardinality(cells) > 0),
  maximum integer NOT NULL CHECK (maximum > 0),
  used integer NOT NULL DEFAULT 0 CHECK (used BETWEEN 0 AND maximum),
  opened_at timestamptz NOT NULL,
  closed_at timestamptz,
  outcome jsonb
);

-- The inventory, where it is kept in the store: every Device with what it is believed to hold.
CREATE TABLE recovery_inventory (
  device bytea PRIMARY KEY CHECK (octet_length(device) = 8),
  kind text NOT NULL,
  smi_status text NOT NULL,
  -- Its status before the last change, and when that was.
  before text,
  since timestamptz,
  signing_key bytea NOT NULL,
  agreement_key bytea NOT NULL,
  -- [{"cell": "{2,KA}", "uniqueId": "…", "keyId": "…"}]
  cells jsonb NOT NULL
);

-- The Relevant Devices of an event, frozen: what each was believed to hold, and how far it is.
CREATE TABLE recovery_device (
  event text NOT NULL REFERENCES recovery_event,
  device bytea NOT NULL CHECK (octet_length(device) = 8),
  kind text NOT NULL,
  signing_key bytea NOT NULL,
  agreement_key bytea NOT NULL,
  cells jsonb NOT NULL,
  wave smallint NOT NULL DEFAULT 1,
  state text NOT NULL DEFAULT 'pending' CHECK (state IN
    ('pending', 'commanded', 'sending', 'unresolved', 'accepted', 'proven', 'listed')),
  attempts smallint NOT NULL DEFAULT 0,
  questions smallint NOT NULL DEFAULT 0,
  -- Not looked at before.
  next_at timestamptz,
  -- Roles whose cells a CS02a has shown to be as they should.
  shown smallint[] NOT NULL DEFAULT '{}',
  -- Why it is listed, and not recovered.
  reason text,
  status_code smallint,
  accepted_at timestamptz,
  proven_at timestamptz,
  PRIMARY KEY (event, device),
  CHECK ((state = 'listed') = (reason IS NOT NULL)),
  CHECK (state <> 'proven' OR proven_at IS NOT NULL)
);

CREATE INDEX recovery_device_due ON recovery_device (event, state, next_at, device);

-- What goes into a cell in place of what its holder had there.
CREATE TABLE recovery_replacement (
  event text NOT NULL REFERENCES recovery_event,
  wave smallint NOT NULL,
  -- `{2,KA,topUp}`
  cell text NOT NULL,
  -- The Subject Unique ID that the cell held; zero of a root.
  holder bytea NOT NULL CHECK (octet_length(holder) = 8),
  certificate bytea NOT NULL,
  unique_id bytea NOT NULL CHECK (octet_length(unique_id) = 8),
  key_id bytea NOT NULL CHECK (octet_length(key_id) = 8),
  PRIMARY KEY (event, wave, cell, holder)
);

CREATE TABLE recovery_path (
  event text NOT NULL REFERENCES recovery_event,
  wave smallint NOT NULL,
  position smallint NOT NULL,
  certificate bytea NOT NULL,
  PRIMARY KEY (event, wave, position)
);

-- The last counter that an originator was given. It never goes back, whoever asks.
CREATE TABLE recovery_counter (
  originator bytea PRIMARY KEY CHECK (octet_length(originator) = 8),
  last bigint NOT NULL CHECK (last >= 0)
);

CREATE FUNCTION recovery_counter_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND NEW.originator = OLD.originator AND NEW.last > OLD.last THEN RETURN NEW; END IF;
  RAISE EXCEPTION 'a counter never goes back';
END $$;

CREATE TRIGGER recovery_counter_stands BEFORE UPDATE OR DELETE ON recovery_counter
  FOR EACH ROW EXECUTE FUNCTION recovery_counter_stands();

-- Every command and every question: written down before it is signed, kept before it leaves.
CREATE TABLE recovery_command (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  event text NOT NULL REFERENCES recovery_event,
  wave smallint NOT NULL,
  device bytea NOT NULL,
  direction integer REFERENCES recovery_direction,
  kind text NOT NULL CHECK (kind IN ('update', 'question')),
  originator bytea NOT NULL CHECK (octet_length(originator) = 8),
  counter bigint NOT NULL,
  message_code integer NOT NULL,
  -- What is signed; the place of the Symmetric Key, where there is one, is zero until then.
  signed_part bytea NOT NULL,
  octets bytea,
  state text NOT NULL DEFAULT 'intended'
    CHECK (state IN ('intended', 'ready', 'sending', 'answered', 'unanswered', 'dropped')),
  intended_at timestamptz NOT NULL,
  sent_at timestamptz,
  answered_at timestamptz,
  answer bytea,
  UNIQUE (originator, counter),
  FOREIGN KEY (event, device) REFERENCES recovery_device (event, device),
  CHECK (state NOT IN ('ready', 'sending', 'answered', 'unanswered') OR octets IS NOT NULL),
  CHECK ((state = 'answered') = (answer IS NOT NULL))
);

CREATE INDEX recovery_command_open ON recovery_command (event, state, id)
  WHERE state IN ('intended', 'ready', 'sending');
CREATE INDEX recovery_command_device ON recovery_command (event, device, id);

-- Answers that were not believed, by code.
CREATE TABLE recovery_refused (
  event text NOT NULL REFERENCES recovery_event,
  code text NOT NULL,
  answers bigint NOT NULL,
  PRIMARY KEY (event, code)
);

-- Files that were exchanged: their names tell them apart, and a sequence has no gap.
CREATE TABLE recovery_file (
  event text NOT NULL REFERENCES recovery_event,
  file_type text NOT NULL,
  sequence integer NOT NULL CHECK (sequence > 0),
  sender text NOT NULL,
  records integer NOT NULL,
  sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
  at timestamptz NOT NULL,
  PRIMARY KEY (event, file_type, sender, sequence)
);

-- Tests of the procedure (REC-A06), with the report for the SMKI PMA and the lessons that people wrote into it.
CREATE TABLE recovery_drill (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  procedure text NOT NULL,
  devices integer NOT NULL,
  proven integer NOT NULL,
  listed integer NOT NULL,
  -- Simulated, from the notification to the last recovered Device.
  seconds integer NOT NULL,
  at timestamptz NOT NULL,
  report bytea NOT NULL CHECK (octet_length(report) = 32),
  lessons text NOT NULL DEFAULT ''
);
