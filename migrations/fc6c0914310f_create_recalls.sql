-- Create recalls
--
-- Patients are asked to come back, usually after six months. The date is part
-- of the key, so running the job twice reminds nobody twice.
--
-- lint:ignore environment-order recalls have nothing to do with the archive
--
-- Revision ID: fc6c0914310f
-- Revises: b0878a5ba93e
-- Create Date: 2026-10-19T09:40:00Z

-- migrate:up
CREATE TABLE recall (
    patient_id INTEGER NOT NULL,
    due_on DATE NOT NULL,
    reason VARCHAR(120) NOT NULL DEFAULT 'check-up',
    sent_at TIMESTAMP NULL,
    PRIMARY KEY (patient_id, due_on),
    CONSTRAINT recall_patient_fk FOREIGN KEY (patient_id) REFERENCES patient (id) ON DELETE CASCADE
);

CREATE INDEX recall_by_due_date ON recall (due_on);

-- migrate:down
DROP TABLE recall;
