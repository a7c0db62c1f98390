-- The DCO's own tables. No key and no package stands here: those lie with the S1SP, and come with each message.

-- What was answered, by the id of the message: a repeated message gets the same octets, and is acted upon once.
CREATE TABLE dco_message (
  id bytea PRIMARY KEY CHECK (octet_length(id) = 16),
  s1sp text NOT NULL,
  type text NOT NULL,
  -- SHA-256 of what was signed: the same id with other octets is another message.
  digest bytea NOT NULL CHECK (octet_length(digest) = 32),
  at timestamptz NOT NULL,
  -- The code of the Refusal, or `done`.
  outcome text NOT NULL,
  answer bytea NOT NULL
);
CREATE INDEX dco_message_at ON dco_message (at);
CREATE INDEX dco_message_s1sp ON dco_message (s1sp, at, id);

-- Files of inherited keys that were taken in.
CREATE TABLE dco_file (
  holder text NOT NULL,
  file bytea NOT NULL CHECK (octet_length(file) = 16),
  at timestamptz NOT NULL,
  PRIMARY KEY (holder, file)
);

CREATE TABLE dco_device (
  eui64 bytea PRIMARY KEY CHECK (octet_length(eui64) = 8),
  s1sp text NOT NULL,
  model text NOT NULL,
  -- As the previous holder said it, then as a pass 4 proved it.
  title bytea CHECK (octet_length(title) = 8),
  title_proven boolean NOT NULL DEFAULT false,
  commissioned_at timestamptz
);

-- Every key that was taken on or made: which it is, never what it is.
CREATE TABLE dco_key (
  device bytea NOT NULL REFERENCES dco_device (eui64),
  holder text NOT NULL,
  type text NOT NULL CHECK (type IN ('MK', 'AK', 'GUEK', 'GBEK')),
  generation int NOT NULL CHECK (generation >= 0),
  record bytea NOT NULL CHECK (octet_length(record) = 16),
  -- The record before the HSM Key was renewed: good while associations use it.
  former_record bytea CHECK (octet_length(former_record) = 16),
  stage text NOT NULL CHECK (stage IN ('made', 'offered', 'active', 'superseded', 'abandoned')),
  -- When a Device first proved it. An inherited key is active without.
  proven_at timestamptz,
  ground text NOT NULL,
  reference text NOT NULL,
  made_at timestamptz NOT NULL,
  -- The offer: its place in the order of things, the client that it went through, the association's place, and the
  -- generation of the MK that it was wrapped under.
  offered bigint,
  offered_via text,
  offered_in bigint,
  under_mk int,
  -- An association of that client, opened after the offer, was proven: the offer can no longer be taken.
  fenced bigint,
  PRIMARY KEY (device, holder, type, generation),
  CHECK ((type = 'MK') = (holder = 'device'))
);
-- One key at a time is on its way, of each holder and type.
CREATE UNIQUE INDEX dco_key_unresolved ON dco_key (device, holder, type) WHERE stage IN ('made', 'offered');
CREATE UNIQUE INDEX dco_key_active ON dco_key (device, holder, type) WHERE stage = 'active';

-- The order of offers and openings; drawn with the Device's row locked.
CREATE SEQUENCE dco_order;

CREATE TABLE dco_association (
  id bytea PRIMARY KEY CHECK (octet_length(id) = 16),
  device bytea NOT NULL REFERENCES dco_device (eui64),
  client text NOT NULL,
  -- `opened` (AARQ), `answered` (pass 3), `proven` (pass 4 verified), `closed`.
  state text NOT NULL CHECK (state IN ('opened', 'answered', 'proven', 'closed')),
  -- Changes with every step: two steps at once are one too many.
  version int NOT NULL DEFAULT 0,
  opened bigint NOT NULL,
  opened_at timestamptz NOT NULL,
  ak bytea NOT NULL,
  guek bytea NOT NULL,
  dk bytea,
  ak_generation int NOT NULL,
  guek_generation int NOT NULL,
  -- CtoS: ours, no secret.
  challenge bytea NOT NULL,
  title bytea CHECK (octet_length(title) = 8),
  -- What was protected last: the service of its answer, its invoke-id, and what it was for.
  awaiting jsonb
);
CREATE INDEX dco_association_device ON dco_association (device);

-- Sending: the next value that was never handed out, in each stream of one key and one title of ours.
CREATE TABLE dco_counter (
  key_id text NOT NULL,
  title bytea NOT NULL CHECK (octet_length(title) = 8),
  next bigint NOT NULL CHECK (next >= 0),
  PRIMARY KEY (key_id, title)
);

-- For Devices that want strictly the next value: which message it is for, and what was drawn for it, so that the same
-- message gives the same APDU, octet for octet, whenever we stopped.
CREATE TABLE dco_claim (
  message bytea PRIMARY KEY CHECK (octet_length(message) = 16),
  digest bytea NOT NULL,
  key_id text NOT NULL,
  title bytea NOT NULL,
  first bigint NOT NULL,
  count int NOT NULL,
  drawn jsonb NOT NULL,
  at timestamptz NOT NULL
);

-- Receiving: the lowest value that may come, in each stream of one key and one title of a Device.
CREATE TABLE dco_floor (
  key_id text NOT NULL,
  title bytea NOT NULL CHECK (octet_length(title) = 8),
  lowest bigint NOT NULL CHECK (lowest BETWEEN 0 AND 4294967296),
  PRIMARY KEY (key_id, title)
);

-- One row: how many values were skipped in every stream after restorations.
CREATE TABLE dco_skipped (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  counters bigint NOT NULL DEFAULT 0
);
INSERT INTO dco_skipped DEFAULT VALUES;

-- Each command of an instruction is protected once.
CREATE TABLE dco_instruction (
  id text NOT NULL,
  step int NOT NULL,
  message bytea NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (id, step)
);

-- Commands for a Device in an hour of the clock.
CREATE TABLE dco_tally (
  device bytea NOT NULL,
  hour timestamptz NOT NULL,
  commands int NOT NULL,
  PRIMARY KEY (device, hour)
);
CREATE INDEX dco_tally_hour ON dco_tally (hour);

-- HSM Keys by label. A label is never used again, and a row never goes.
CREATE TABLE dco_hsm_key (
  label text PRIMARY KEY,
  role text NOT NULL CHECK (role IN ('DCO Key', 'Shared Key', 'seal')),
  generation int NOT NULL CHECK (generation >= 1),
  -- Of a Shared Key: the S1SP.
  s1sp text,
  made_at timestamptz NOT NULL,
  -- Of a Shared Key: the S1SP has shown that it has it. New packages are made under proven ones only.
  proven_at timestamptz,
  -- While it is set, packages under this key are repackaged under the newest of its role; it says on what ground.
  renewing text,
  UNIQUE NULLS NOT DISTINCT (role, s1sp, generation),
  CHECK ((role = 'Shared Key') = (s1sp IS NOT NULL))
);

-- Signed packages of HSM Keys, for their recipients.
CREATE TABLE dco_hsm_package (
  label text NOT NULL REFERENCES dco_hsm_key (label),
  recipient text NOT NULL,
  envelope bytea NOT NULL,
  receipt bytea,
  proven_at timestamptz,
  PRIMARY KEY (label, recipient)
);

-- Decisions of the SMKI PMA that a DCO may make keys on.
CREATE TABLE dco_decision (
  reference text PRIMARY KEY,
  entered_at timestamptz NOT NULL,
  entered_by text NOT NULL,
  confirmed_at timestamptz,
  confirmed_by text CHECK (confirmed_by <> entered_by),
  -- Whether MKs are in question: rotation over the air does not shut out who holds them and is on the wire.
  mks_in_question boolean NOT NULL,
  -- Devices that it is for; null is all.
  devices bytea[]
);

-- Nominated holders of Administrative Cards, by reference.
CREATE TABLE dco_card_holder (
  person text PRIMARY KEY,
  nominated_at timestamptz NOT NULL,
  ceased_at timestamptz
);
