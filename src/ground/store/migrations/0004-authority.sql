-- The certification authorities.

CREATE TABLE authority (
  id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  pki text NOT NULL,
  part text NOT NULL,
  level text NOT NULL CHECK (level IN ('root', 'issuing')),
  -- Its name as people say it, and the label of its key in its key store.
  name text NOT NULL,
  key_label text NOT NULL UNIQUE,
  store text NOT NULL CHECK (store IN ('root', 'issuing')),
  -- offline: a root; stock: made ahead, not used yet; current: it issues; exhausted: it issues no more, its key is
  -- still there; used-up: its key was destroyed.
  state text NOT NULL CHECK (state IN ('offline', 'stock', 'current', 'exhausted', 'used-up')),
  -- Its own certificate.
  der bytea NOT NULL,
  -- Certificates that it was asked for, counted before they are planned (CERT-A07).
  allotted integer NOT NULL DEFAULT 0,
  first_used_at timestamptz,
  made_at timestamptz NOT NULL,
  UNIQUE (pki, name)
);
