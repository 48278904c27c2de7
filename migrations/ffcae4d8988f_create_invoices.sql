-- Create invoices
--
-- First revision of the branch `billing`. A line copies title and price from
-- the catalogue instead of pointing at them only: what was invoiced must not
-- change when the price list does.
--
-- Revision ID: ffcae4d8988f
-- Revises: 5468b6880842
-- Create Date: 2026-04-09T12:10:00Z
-- Branch Labels: billing

-- migrate:up
CREATE TABLE invoice (
    id INTEGER PRIMARY KEY,
    invoice_number VARCHAR(20) NOT NULL,
    patient_id INTEGER NOT NULL,
    issued_on DATE NOT NULL,
    due_on DATE NOT NULL,
    status VARCHAR(10) NOT NULL DEFAULT 'open',
    CONSTRAINT invoice_number_unique UNIQUE (invoice_number),
    CONSTRAINT invoice_patient_fk FOREIGN KEY (patient_id) REFERENCES patient (id),
    CONSTRAINT invoice_status_known CHECK (status IN ('draft', 'open', 'paid', 'void')),
    CONSTRAINT invoice_due_after_issue CHECK (due_on >= issued_on)
);

CREATE INDEX invoice_by_patient ON invoice (patient_id, issued_on);

CREATE TABLE invoice_line (
    invoice_id INTEGER NOT NULL,
    line_number INTEGER NOT NULL,
    treatment_code VARCHAR(12) NULL,
    title VARCHAR(120) NOT NULL,
    quantity INTEGER NOT NULL DEFAULT 1,
    unit_price_cents INTEGER NOT NULL,
    PRIMARY KEY (invoice_id, line_number),
    CONSTRAINT invoice_line_invoice_fk FOREIGN KEY (invoice_id) REFERENCES invoice (id) ON DELETE CASCADE,
    CONSTRAINT invoice_line_treatment_fk FOREIGN KEY (treatment_code) REFERENCES treatment (code),
    CONSTRAINT invoice_line_quantity_positive CHECK (quantity > 0)
);

CREATE INDEX invoice_line_by_treatment ON invoice_line (treatment_code);

-- migrate:down
DROP TABLE invoice_line;
DROP TABLE invoice;
