-- Create appointments
--
-- The appointment book, first revision of the branch `scheduling`; billing
-- starts from the same parent, so that two teams need not wait for each
-- other. An appointment is a date and a time on the clinic's wall clock:
-- stored so, a change to summer time does not move it.
--
-- Revision ID: 3c8e6527cae1
-- Revises: 5468b6880842
-- Create Date: 2026-04-07T07:50:00Z
-- Branch Labels: scheduling

-- migrate:up
CREATE TABLE room (
    id INTEGER PRIMARY KEY,
    title VARCHAR(60) NOT NULL,
    CONSTRAINT room_title_unique UNIQUE (title)
);

CREATE TABLE appointment (
    id INTEGER PRIMARY KEY,
    patient_id INTEGER NOT NULL,
    practitioner_id INTEGER NOT NULL,
    room_id INTEGER NULL,
    scheduled_on DATE NOT NULL,
    starts_at TIME NOT NULL,
    duration_minutes INTEGER NOT NULL,
    status VARCHAR(10) NOT NULL DEFAULT 'booked',
    reason VARCHAR(200) NULL,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT appointment_patient_fk FOREIGN KEY (patient_id) REFERENCES patient (id),
    CONSTRAINT appointment_practitioner_fk FOREIGN KEY (practitioner_id) REFERENCES practitioner (id),
    CONSTRAINT appointment_room_fk FOREIGN KEY (room_id) REFERENCES room (id),
    CONSTRAINT appointment_duration_positive CHECK (duration_minutes > 0),
    CONSTRAINT appointment_status_known CHECK (status IN ('booked', 'arrived', 'done', 'missed', 'cancelled'))
);

-- One index for each way the book is opened: by dentist, by patient, by room.
CREATE INDEX appointment_by_practitioner ON appointment (practitioner_id, scheduled_on);
CREATE INDEX appointment_by_patient ON appointment (patient_id, scheduled_on);
CREATE INDEX appointment_by_room ON appointment (room_id, scheduled_on);

-- migrate:down
-- Children before parents, or the foreign keys object.
DROP TABLE appointment;
DROP TABLE room;
