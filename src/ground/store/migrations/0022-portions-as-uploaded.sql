-- An upload is stored as it will be taken: part n holds the requests of portion n. Portions made before hold their own.
ALTER TABLE portion ALTER COLUMN items DROP NOT NULL;
