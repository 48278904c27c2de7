-- Split patient names
--
-- Letters and insurers want given name and family name apart. The split at
-- the first space is only a start, which reception corrects by hand, so
-- `full_name` stays as the source until nothing reads it any more.
--
-- SQLite and MySQL find the space with INSTR, PostgreSQL with STRPOS: one up
-- section serves two databases, another the third. The plain down section
-- names no database and serves them all.
--
-- Revision ID: 5468b6880842
-- Revises: d7482e186bc9
-- Create Date: 2026-03-02T13:05:00Z

-- migrate:up sqlite,mysql
ALTER TABLE patient ADD COLUMN given_name VARCHAR(200) NULL;
ALTER TABLE patient ADD COLUMN family_name VARCHAR(200) NULL;

UPDATE patient
SET given_name = SUBSTR(full_name, 1, INSTR(full_name, ' ') - 1),
    family_name = SUBSTR(full_name, INSTR(full_name, ' ') + 1)
WHERE INSTR(full_name, ' ') > 0;

-- People with a single name: it is filed as the family name.
UPDATE patient SET family_name = full_name WHERE INSTR(full_name, ' ') = 0;

-- migrate:up postgres
ALTER TABLE patient ADD COLUMN given_name VARCHAR(200) NULL;
ALTER TABLE patient ADD COLUMN family_name VARCHAR(200) NULL;

UPDATE patient
SET given_name = SUBSTR(full_name, 1, STRPOS(full_name, ' ') - 1),
    family_name = SUBSTR(full_name, STRPOS(full_name, ' ') + 1)
WHERE STRPOS(full_name, ' ') > 0;

-- People with a single name: it is filed as the family name.
UPDATE patient SET family_name = full_name WHERE STRPOS(full_name, ' ') = 0;

-- migrate:down
-- `full_name` was never touched, so no name has to be put together again.
ALTER TABLE patient DROP COLUMN family_name;
ALTER TABLE patient DROP COLUMN given_name;
