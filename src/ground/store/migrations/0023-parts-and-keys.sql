-- A portion cannot lose the part of the upload that holds its requests.
ALTER TABLE portion
  ADD COLUMN part integer GENERATED ALWAYS AS (CASE WHEN items IS NULL THEN number END) STORED,
  ADD FOREIGN KEY (batch, part) REFERENCES batch_part;

-- Indexes of random values are half empty at times, and were a fifth of what a certificate takes. Half of a serial number
-- tells certificates of an authority apart as well as the whole: it has 64 random bits. A key identifier needs no order,
-- and a hash of it is shorter.
DROP INDEX certificate_serial;
CREATE UNIQUE INDEX certificate_serial ON certificate (substr(serial, 9), authority);
DROP INDEX certificate_key;
CREATE INDEX certificate_key ON certificate USING hash (key_id);
