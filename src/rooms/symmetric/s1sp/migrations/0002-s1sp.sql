-- What an S1SP keeps: Devices, their keys as packages in key records, and what is being done about them. No key is here.

CREATE TABLE device (
  device text PRIMARY KEY CHECK (device ~ '^[0-9a-f]{16}$'),
  model text NOT NULL,
  title bytea CHECK (octet_length(title) = 8),
  commissioned timestamptz,
  -- Where its logical device is reached.
  host text,
  port int CHECK (port BETWEEN 1 AND 65535),
  server int CHECK (server BETWEEN 0 AND 65535),
  taken_on timestamptz NOT NULL,
  -- Why it can never be re-keyed, if that is so: reported, not hidden.
  cannot text
);

-- Whether a client answered when the Device was taken on: marked, not guessed at.
CREATE TABLE client_answered (
  device text NOT NULL REFERENCES device,
  client text NOT NULL,
  answered boolean NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (device, client)
);

CREATE TABLE campaign (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- The decision of the SMKI PMA, and all that the form asks; the scope as it was entered.
  decision text NOT NULL UNIQUE,
  form jsonb NOT NULL,
  state text NOT NULL CHECK (state IN ('entered', 'running', 'paused', 'finished')),
  entered_by text NOT NULL,
  approved_by text CHECK (approved_by <> entered_by),
  entered timestamptz NOT NULL,
  approved timestamptz,
  finished timestamptz,
  -- Rotations a minute, and the share of failures in a hundred at which it pauses by itself.
  pace int NOT NULL CHECK (pace > 0),
  threshold int NOT NULL CHECK (threshold BETWEEN 1 AND 100),
  -- Devices that were begun since it last began or went on: what pace and threshold are counted from.
  since timestamptz,
  why_paused text
);

CREATE TABLE rotation (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  device text NOT NULL REFERENCES device,
  ground jsonb NOT NULL,
  -- Which keys, as holder/type; null is all that the model lets be replaced.
  wanted text[],
  campaign bigint REFERENCES campaign,
  opened timestamptz NOT NULL,
  due timestamptz,
  late boolean NOT NULL DEFAULT false,
  tried timestamptz,
  state text NOT NULL CHECK (state IN ('open', 'unresolved', 'unreachable', 'closed')),
  closed timestamptz CHECK ((closed IS NOT NULL) = (state = 'closed')),
  outcome text CHECK (outcome IN ('complete', 'complete with exceptions'))
);

-- A ground opens one rotation of a Device.
CREATE UNIQUE INDEX rotation_ground ON rotation (device, md5(ground::text), coalesce(campaign, 0));
CREATE INDEX rotation_open ON rotation (tried NULLS FIRST, id) WHERE state <> 'closed';

-- The frozen list of a campaign.
CREATE TABLE campaign_device (
  campaign bigint NOT NULL REFERENCES campaign,
  device text NOT NULL REFERENCES device,
  rotation bigint REFERENCES rotation,
  begun timestamptz,
  PRIMARY KEY (campaign, device)
);

CREATE TABLE key_record (
  id text PRIMARY KEY CHECK (id ~ '^[0-9a-f]{32}$'),
  device text NOT NULL REFERENCES device,
  holder text NOT NULL,
  type text NOT NULL CHECK (type IN ('MK', 'AK', 'GUEK', 'GBEK')),
  generation int NOT NULL CHECK (generation >= 0),
  stage text NOT NULL CHECK (stage IN ('made', 'offered', 'active', 'superseded', 'abandoned')),
  -- The sealed record, a package in it; never an open key. Null when it was removed from the store.
  octets bytea,
  rotation bigint REFERENCES rotation,
  -- The message that it was asked for by.
  message text UNIQUE,
  stored timestamptz NOT NULL,
  changed timestamptz NOT NULL,
  -- Its seal did not hold: it is never used, and stands here for whoever looks into it.
  corrupt boolean NOT NULL DEFAULT false,
  UNIQUE (device, holder, type, generation)
);

-- At most one key of a Device, client and type is active, and at most one is made or offered.
CREATE UNIQUE INDEX key_active ON key_record (device, holder, type) WHERE stage = 'active';
CREATE UNIQUE INDEX key_unresolved ON key_record (device, holder, type) WHERE stage IN ('made', 'offered');
CREATE INDEX key_superseded ON key_record (changed) WHERE stage IN ('superseded', 'abandoned') AND octets IS NOT NULL;

-- What is about to be replaced, written down before anybody is asked for anything.
CREATE TABLE intent (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  rotation bigint NOT NULL REFERENCES rotation,
  device text NOT NULL,
  holder text NOT NULL,
  opened timestamptz NOT NULL,
  closed timestamptz,
  -- active, abandoned, or never begun.
  outcome text,
  -- The Device said so, verified: the action result of the transfer.
  result int,
  -- A message to the DCO for each key, to be sent again octet for octet (so json, which keeps the order of members, and
  -- not jsonb): it makes one key, however often it is sent.
  messages json NOT NULL
);

-- One unresolved replacement a Device.
CREATE UNIQUE INDEX intent_open ON intent (device) WHERE closed IS NULL;
CREATE INDEX intent_of_rotation ON intent (rotation);

-- What a Device cannot, or would not: recorded when its rotation closes, not left pending for ever.
CREATE TABLE exception (
  rotation bigint NOT NULL REFERENCES rotation,
  what text NOT NULL,
  says text NOT NULL,
  PRIMARY KEY (rotation, what)
);

-- Each try to reach a Device: "subject to connectivity" is what excuses a late one.
CREATE TABLE attempt (
  rotation bigint NOT NULL REFERENCES rotation,
  at timestamptz NOT NULL,
  code text NOT NULL,
  says text NOT NULL
);
CREATE INDEX attempt_of_rotation ON attempt (rotation);

-- APDUs for Devices that want each counter to be the next: a gap is closed with the same octets.
CREATE TABLE sent (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  device text NOT NULL,
  client text NOT NULL,
  guek text NOT NULL,
  message json NOT NULL,
  apdu bytea
);
CREATE INDEX sent_in_order ON sent (device, client, guek, id);

-- Reviews of the risk of all use of symmetric keys.
CREATE TABLE review (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  done timestamptz NOT NULL,
  evidence text NOT NULL,
  by_person text NOT NULL,
  warned boolean NOT NULL DEFAULT false
);

-- S1SP Privileged Persons: a reference to the person, never the person.
CREATE TABLE privileged_person (
  person text PRIMARY KEY,
  nominated timestamptz NOT NULL,
  nominated_by text NOT NULL CHECK (nominated_by <> person),
  until timestamptz
);

-- The Shared Keys that this S1SP's module holds, with the DCO's receipt.
CREATE TABLE hsm_key (
  label text PRIMARY KEY,
  generation int NOT NULL,
  package bytea NOT NULL,
  imported timestamptz,
  receipt bytea
);

-- Events of the environment, on their way to protective monitoring: a log of its own, apart from the journal.
CREATE TABLE environment_event (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  source text NOT NULL,
  at timestamptz NOT NULL,
  kind text NOT NULL,
  says text NOT NULL,
  forwarded timestamptz
);
CREATE INDEX environment_waiting ON environment_event (id) WHERE forwarded IS NULL;

CREATE TABLE environment_source (
  source text PRIMARY KEY,
  every_minutes int NOT NULL CHECK (every_minutes > 0),
  heard timestamptz NOT NULL,
  alarmed timestamptz
);
