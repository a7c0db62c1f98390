-- A register of ten million certificates, of which nearly all are Devices'.

-- Signings of a day. Their numbers ascend with time but for a few, so that a summary of each piece of the table is as
-- good as an entry for each row, and takes next to nothing.
CREATE INDEX signing_at ON signing USING brin (at) WITH (pages_per_range = 16);

-- Certificates that are not of Devices (family 1): thousands. A Device Certificate has no entry here.
CREATE INDEX certificate_other ON certificate (family, signing, position) WHERE family <> 1;
